"""The vendor's published clients, unmodified: a conversation kept and read, memories found and looked after."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import httpx
import pytest

from tests.support.processes import Serve, Shell

ROOT = Path(__file__).parents[2]
SDKS = [("sdk-b10", "surrealdb.memory"), ("sdk-b5", "surrealdb.spectron")]


def run_script(name: str, environment: str, module: str, url: str, *keys: str) -> Any:
    python = ROOT / f".venv-{environment}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{python.parents[1].name} is missing: `make test` builds it")
    script = Path(__file__).with_name(name)
    done = subprocess.run(
        [python, script, module, url, "acme-prod"],
        input="\n".join(keys),
        capture_output=True,
        text=True,
        timeout=110,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("environment", "module"), SDKS)
def test_a_conversation_works_unmodified(
    environment: str, module: str, serve: Serve, shell: Shell
) -> None:
    served = serve()
    shell("contexts create acme-prod --namespace acme --database prod", env=served.env)
    minted = shell(
        "keys create app-agent -c acme-prod --principal agent --scope-floor org=acme",
        env=served.env,
    )

    keys = (minted.stdout.strip(), served.key)
    answers = run_script("keep_a_conversation.py", environment, module, served.url, *keys)

    prefix = module.rpartition(".")[2].title()
    for kind in ("sync", "async"):
        told = answers[kind]
        assert told["scopes"] == [[["org/acme/user/bo"]], [["org/acme"]]]
        assert told["created_at"].endswith("Z")
        assert (told["mode"], told["ids"]) == ("none", [True, True, True])
        assert told["replayed"]
        assert told["extractions"] == []
        assert told["sizes"] == [100, 51]
        texts = [(f"{kind} Bo likes tea", "assistant")]
        texts += [(f"message {n}", "user") for n in range(150)]
        assert told["turns"] == [
            [turn_id, True, role, text, seq]
            for seq, (turn_id, (text, role)) in enumerate(zip(told["turn_ids"], texts, strict=True))
        ]
        assert f"{kind} Bo likes tea" in told["context"]
        assert {name: refusal[:2] for name, refusal in told["refusals"].items()} == {
            "foreign": [f"{prefix}NotFoundError", 404],
            "slash": [f"{prefix}NotFoundError", 404],
            "forgetting": [f"{prefix}ScopeError", 403],
            "deleted": [f"{prefix}NotFoundError", 404],
            "outside": [f"{prefix}ScopeError", 403],
            "reused": [f"{prefix}APIError", 409],
            "model": [f"{prefix}APIError", 501],
            "role": [f"{prefix}APIError", 400],
        }
        assert told["refusals"]["role"][2].startswith("messages[0].role: ")


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("environment", "module"), SDKS)
def test_recall_and_upkeep_work_unmodified(
    environment: str, module: str, serve: Serve, shell: Shell
) -> None:
    served = serve()
    shell("contexts create acme-prod --namespace acme --database prod", env=served.env)
    keys = [
        shell(
            f"keys create {kind} -c acme-prod --principal {kind} --scope-floor org=acme",
            env=served.env,
        ).stdout.strip()
        for kind in ("agent", "supervisor")
    ]

    answers = run_script(
        "look_after_memories.py", environment, module, served.url, *keys, served.key
    )

    prefix = module.rpartition(".")[2].title()
    for kind in ("sync", "async"):
        told = answers[kind]
        wanted = [f"{kind}: Bo prefers green tea"]
        assert told["hits"] == {"hybrid": wanted, "vector": wanted, "bm25": wanted}
        assert (told["tiers"], told["trace"]) == (["hybrid"], True)
        assert (told["duplicates"], told["affected"], told["total"]) == (0, [1, 1], 0)
        refusals = {name: refusal[:2] for name, refusal in told["refusals"].items()}
        assert refusals == {
            "agent": [f"{prefix}ScopeError", 403],
            "mode": [f"{prefix}APIError", 501],
        }
        assert told["scopes"].pop("refusals") == {
            name: [f"{prefix}{error}Error", status, ANY]
            for name, error, status in (
                ("no path", "API", 400),
                ("unknown", "NotFound", 404),
                ("outside", "Scope", 403),
                ("verb", "Scope", 403),
                ("tombstone", "API", 400),
            )
        }
        path = f"org/acme/{kind}/old/"
        assert told["scopes"] == {
            "paths": [path, path],
            "same": True,
            "live": None,
            "listed": [path, f"{path}bo/"],
            "outside": [],
            "hits": [["the parrot is green"], []],
            "forgotten": 3,
            "buried": [[path, True], [f"{path}bo/", True]],
        }


@pytest.mark.sampled(1)
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("environment", "module"), SDKS)
def test_traces_and_the_audit_work_unmodified(
    environment: str, module: str, serve: Serve, shell: Shell
) -> None:
    served = serve()
    shell("contexts create acme-prod --namespace acme --database prod", env=served.env)
    minted = shell(
        "keys create app-agent -c acme-prod --principal agent --scope-floor org=acme",
        env=served.env,
    )

    keys = (minted.stdout.strip(), served.key)
    answers = run_script("see_who_did_what.py", environment, module, served.url, *keys)

    prefix = module.rpartition(".")[2].title()
    for kind, queries in (("sync", 2), ("async", 4)):
        told = answers[kind]
        assert told["listed"]
        assert told["seen"] == [True, False]
        assert told["shown"] == [True, f"{kind} tea", "hybrid", False]
        assert told["created_at"] == "Z"
        assert told["stats"] == [24, queries, queries]
        assert told["retrieval"] == queries
        assert told["audit"] == [["decision", True], ["retrieval", True]]
        assert told["last"]
        assert told["denied"] == ["decision", True, 0]
        assert told["none"] == 0
        refusals = {name: refusal[:2] for name, refusal in told["refusals"].items()}
        assert refusals == {
            "hidden": [f"{prefix}NotFoundError", 404],
            "kind": [f"{prefix}APIError", 400],
        }


@pytest.mark.sampled(1)
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("environment", "module"), SDKS)
def test_keys_of_ones_own_work_unmodified(
    environment: str, module: str, serve: Serve, shell: Shell
) -> None:
    served = serve()
    shell("contexts create acme-prod --namespace acme --database prod", env=served.env)
    made = httpx.post(
        f"{served.url}/api/v1/contexts/acme-prod/keys",
        json={"name": "owner", "principal_id": "admin"},
        headers={"API-KEY": served.key},
    )

    answers = run_script("mint_own_keys.py", environment, module, served.url, made.json()["secret"])

    prefix = module.rpartition(".")[2].title()
    for kind in ("sync", "async"):
        told = answers[kind]
        assert {name: refusal[:2] for name, refusal in told.pop("refusals").items()} == {
            "taken": [f"{prefix}APIError", 409],
            "unknown": [f"{prefix}NotFoundError", 404],
        }
        assert told == {
            "bare": [True, None],
            "name": True,
            "grants": {"memory:read": ["org/acme/*"]},
            "rotated": [True, True],
            "expiry": True,
            "left": ["owner"],
        }
