"""A list from a server on a socket, against the general HTTP client that people would use instead."""

from __future__ import annotations

import json

from benchmarks.processes import SPECTRONCTL, Bench, NotRunError, serve
from benchmarks.results import Result, Target
from benchmarks.rounds import compare
from spectronctl import SyncSpectronManagement

_CONTEXTS = 24


def bench_contexts_list(bench: Bench) -> list[Result]:
    """`contexts list -o json` against `http GET` of the same URL."""
    ours = [SPECTRONCTL, "contexts", "list", "-o", "json"]
    if not bench.httpie.exists():
        raise NotRunError(f"there is no {bench.httpie}: make .venv-httpie/.ready")
    with serve(bench) as server:
        with SyncSpectronManagement(server.url, api_key=server.key) as admin:
            for number in range(_CONTEXTS):
                name = f"context-{number:02}"
                admin.contexts.create(id=name, namespace="acme", database=name)
        theirs = [
            str(bench.httpie),
            "--ignore-stdin",
            "--check-status",
            "GET",
            f"{server.url}/api/v1/contexts?limit={_CONTEXTS}",
            f"Authorization: Bearer {server.key}",
        ]
        quiet = _silence_httpie(bench)
        listed = json.loads(bench.run(ours, server.env))
        if listed != json.loads(bench.run(theirs, quiet))["contexts"]:
            raise NotRunError("spectronctl and httpie were given different lists")
        median, baseline = compare(
            lambda: bench.time(ours, server.env),
            lambda: bench.time(theirs, quiet),
            bench.choose(20, 1),
        )
    return [
        Result(
            name="contexts-list",
            measured="contexts list -o json",
            against="http GET (httpie)",
            unit="ms",
            median=median,
            baseline=baseline,
            target=Target("≤", 0.9),
            notes=(f"{len(listed)} contexts, one page",),
        )
    ]


def _silence_httpie(bench: Bench) -> dict[str, str]:
    """Keep it from asking the network for its own updates, in a process that would run beside ours."""
    settings = bench.home / "httpie"
    settings.mkdir(exist_ok=True)
    (settings / "config.json").write_text(json.dumps({"disable_update_warnings": True}))
    return {"HTTPIE_CONFIG_DIR": str(settings)}
