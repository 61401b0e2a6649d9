"""What upkeep, its findings and its jobs look like in a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from spectronctl.output.views import Column, View

ERROR = Column("error", kind="words", optional=True)


def _summarize(view: View, *columns: Column) -> View:
    """The view of several responses: each with its context, and the error of those that have no response."""
    return replace(
        view,
        columns=(Column("context", kind="id"), *(columns or view.columns), ERROR),
        name="context",
        plural="contexts",
        parts=None,
    )


DECAY = View(
    columns=(
        Column("affected", kind="id"),
        Column("expired_memories", kind="id"),
        Column("pruned_cache_entries", kind="id"),
    ),
    name="affected",
)
DECAYS = _summarize(DECAY)

EXPIRY = View(columns=(Column("affected", kind="id"),), name="affected")
EXPIRIES = _summarize(EXPIRY)


def _show_progress(job: Mapping[str, Any]) -> str | None:
    progress = job.get("progress") or {}
    done, total = progress.get("done"), progress.get("total")
    if done is None:
        return None
    return str(done) if total is None else f"{done}/{total}"


JOBS = View(
    columns=(
        Column("id", kind="id"),
        Column("status", kind="status"),
        Column("progress", kind="id", compute=_show_progress),
        Column("created_at", kind="age"),
        Column("kind", kind="id"),
        ERROR,
    ),
    wide=(
        Column("embedder"),
        Column("started_at", kind="time"),
        Column("finished_at", kind="time"),
        Column("cancel_requested"),
    ),
    plural="jobs",
)
REINDEXES = _summarize(JOBS, *JOBS.columns[1:3], JOBS.columns[0], *JOBS.columns[3:-1])


def list_findings(report: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The findings of every check, each as what it is about and what is wrong with it."""
    for check, tell in _FINDINGS.items():
        for finding in report.get(check) or ():
            subject, detail = tell(finding)
            yield {"check": check, "subject": subject, "detail": detail}


_FINDINGS: dict[str, Callable[[Any], tuple[str, str]]] = {
    "duplicates": lambda f: (f["entity_a"], f"like {f['entity_b']}, by {f['similarity']:.2f}"),
    "contradictions": lambda f: (f["entity"], f"{f['key']} is {' and '.join(f['values'])}"),
    "injection": lambda f: (f["row_id"], f"{f['kind']}: {f['snippet']}"),
    "unscoped_content": lambda f: (f["table"], _format_rows(f)),
    "broken_references": lambda f: (f["row_id"], f"{f['field']} leads to {f['target']}"),
}

CHECKS = tuple(_FINDINGS)
"""What there is to look for, as reports name it."""


def _format_rows(finding: Mapping[str, Any]) -> str:
    ids = finding.get("sample_ids")
    return f"{finding['count']} rows" + (f", such as {', '.join(ids)}" if ids else "")


FINDINGS = View(
    columns=(
        Column("check", kind="id"),
        Column("subject", kind="id"),
        Column("detail", kind="words"),
    ),
    name="subject",
    plural="findings",
    parts=list_findings,
)


# A function, since a lambda in a loop would see the last name of the loop for every column.
def _count(check: str) -> Column:
    return Column(
        check, kind="id", compute=lambda report: len(report[check]) if check in report else None
    )


REPORTS = _summarize(FINDINGS, Column("total", kind="id"), *map(_count, _FINDINGS))
