"""The vendor's published clients, unmodified, each in an environment of its own, against our server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Serve, Shell

ROOT = Path(__file__).parents[2]
SDKS = [("sdk-b10", "surrealdb.memory"), ("sdk-b5", "surrealdb.spectron")]


def ask(environment: str, *words: str, key: str) -> Any:
    python = ROOT / f".venv-{environment}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{python.parents[1].name} is missing: `make test` builds it")
    done = subprocess.run(
        [python, Path(__file__).with_name("ask_who_i_am.py"), *words],
        input=key,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.sampled(1)
@pytest.mark.parametrize(("environment", "module"), SDKS)
def test_whoami_and_health_work_unmodified(
    environment: str, module: str, serve: Serve, shell: Shell
) -> None:
    served = serve()
    shell("contexts create acme-prod --namespace acme --database prod", env=served.env)
    minted = shell(
        "keys create app-agent -c acme-prod --principal agent --scope-floor org=acme",
        env=served.env,
    )

    answers = ask(environment, module, served.url, "acme-prod", key=minted.stdout.strip())

    assert answers["health"]["status"] == "ok"
    assert answers["sync"] == answers["async"]
    who = answers["sync"]
    assert (who["kind"], who["display_name"]) == ("agent", "app-agent")
    assert who["principal_id"]
    assert "memory:read" in who["effective_grants"]
    assert all(
        "org/acme" in pattern
        for patterns in who["effective_grants"].values()
        for pattern in patterns
    )
    (bad_key, foreign_context) = answers["refusals"]
    assert bad_key == foreign_context
    assert bad_key[0] == 401
