"""`spectronctl contexts keys VERB CONTEXT …`, the earlier documented spelling."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import CommandLine, Server


@pytest.fixture
def run(run: CommandLine) -> CommandLine:
    """Two contexts, and the other one chosen by the environment."""
    for name in ("acme-prod", "other"):
        run(f"contexts create {name} --namespace {name} --database {name}")
    run.env["SPECTRON_CONTEXT_ID"] = "other"
    return run


def test_the_earlier_spelling_does_the_same(run: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    made = run(
        "contexts keys create acme-prod app --principal supervisor --scope-floor org=acme"
        f" --expires-in 10d --secret-file {path} -o json"
    )
    assert made.code == 0, made.err
    assert run("keys verify - -c acme-prod", stdin=path.read_text()).code == 0

    for line in ("list", "list --expiring 14d -o json", "ls --columns logical"):
        old, new = run(f"context keys {line} acme-prod"), run(f"keys {line} -c acme-prod")
        assert (old.code, old) == (0, new)
    assert run("contexts keys list acme-prod --older-than 1h -o json").json == []

    gone = run("contexts keys rm acme-prod app nobody --yes --if-missing ok -o json").json
    assert [one["deleted"] for one in gone] == [True, False]
    assert run("contexts keys list acme-prod -o json").json == []


@pytest.mark.parametrize("place", ["-c other contexts keys list", "contexts keys -c other list"])
def test_another_context_by_option_is_refused(run: CommandLine, server: Server, place: str) -> None:
    server.asked()
    result = run(f"{place} acme-prod -o json")
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert "acme-prod" in result.error["message"]
    assert "other" in result.error["message"]
    assert run("contexts keys list acme-prod -c acme-prod").code == 0


def test_it_is_hidden_and_still_helps(run: CommandLine) -> None:
    assert "  keys " not in run("contexts --help").out
    shown = run("contexts keys create --help").out
    for word in ("CONTEXT", "NAME", "--scope-floor", "--secret-file", "--if-exists"):
        assert word in shown
    missing = run("contexts keys list -o json")
    assert (missing.code, missing.error["kind"]) == (2, "usage")
    assert "CONTEXT" in missing.error["message"]
