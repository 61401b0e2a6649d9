"""`spectronctl migrations`"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from spectronctl.api import migrations as api
from spectronctl.cli._typer import App, Context
from spectronctl.errors import NotFoundError
from spectronctl.output.views import Column, View

app = App()


def _list_versions(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each context with its schema, and how that stands to the newest; also those named only as not being there."""
    newest = body.get("schema_version")
    versions = {each["context_id"]: each.get("version") for each in body.get("contexts", ())}
    # Servers differ: some list ids, others objects that say what went wrong.
    behind, failures = _index(body.get("behind", ())), _index(body.get("failures", ()))
    for context in dict.fromkeys([*versions, *behind, *failures]):
        version = versions.get(context)
        yield {
            "context": context,
            "version": version,
            "newest": newest,
            "state": _describe_state(context, version, newest, behind, failures),
            "error": failures.get(context) or behind.get(context),
        }


def _index(entries: Iterable[Any]) -> dict[str, str | None]:
    """Entries that are ids, or objects with an id and perhaps an error, by id."""
    return dict(
        (str(entry.get("context_id")), entry.get("error"))
        if isinstance(entry, Mapping)
        else (str(entry), None)
        for entry in entries
    )


def _describe_state(
    context: str,
    version: Any,
    newest: Any,
    behind: Mapping[str, Any],
    failures: Mapping[str, Any],
) -> str:
    # Before `failures`, where it may be listed too: what is newer than the server has another way out than a failure.
    if isinstance(version, int) and isinstance(newest, int) and version > newest:
        return "ahead"
    if context in failures:
        return "failed"
    return "behind" if context in behind else "current"


VERSIONS = View(
    columns=(
        Column("context", kind="id"),
        Column("version", kind="id"),
        Column("newest", kind="id"),
        Column("state", kind="status"),
        Column("error", kind="words", optional=True),
    ),
    name="context",
    plural="contexts",
    parts=_list_versions,
)


@app.command("status")
def show_status(ctx: Context) -> None:
    """
    Show the schema version of each context's database, and the newest.

    A context typed as -c narrows it to that one; one from the environment or the profile does not.

    Examples:
      spectronctl migrations status
      spectronctl migrations status -c acme-prod -o json
    """
    rt = ctx.runtime
    rt.out.check(VERSIONS)
    body = rt.client.send(api.get_migrations()).to_dict()
    # The whole is what an operator asks for: a context that happens to be configured must not hide the others.
    typed = rt.flags.get("context")
    rt.out.show(body if typed is None else _narrow(body, typed), VERSIONS)


def _narrow(body: dict[str, Any], context: str) -> dict[str, Any]:
    """The same about one context; NotFoundError when nothing is said of it."""
    narrowed = {
        **body,
        "contexts": [each for each in body.get("contexts", ()) if each["context_id"] == context],
        **{
            name: [entry for entry in body.get(name, ()) if context in _index([entry])]
            for name in ("behind", "failures")
        },
    }
    if not any(narrowed[name] for name in ("contexts", "behind", "failures")):
        raise NotFoundError(f"no context {context}", command="spectronctl contexts list")
    return narrowed
