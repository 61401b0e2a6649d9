from __future__ import annotations

from pathlib import Path

import pytest

from spectronctl.local.seen import forget, known_names, remember

ONE, TWO = "http://one.example:9090", "https://two.example/base"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def test_ids_are_remembered_per_server_and_offered_sorted(env: dict[str, str]) -> None:
    remember(env, ONE, ["beta", "acme"])
    remember(env, TWO, ["acme", "zeta"])
    assert known_names(env, ONE) == ["acme", "beta"]
    assert known_names(env, TWO + "/") == ["acme", "zeta"]


def test_later_ids_join_the_earlier_ones_or_replace_them(env: dict[str, str]) -> None:
    remember(env, ONE, ["a"])
    remember(env, ONE, iter(["b"]))
    assert known_names(env, ONE) == ["a", "b"]
    remember(env, ONE, ["c"], replace=True)
    assert known_names(env, ONE) == ["c"]


def test_a_deleted_context_is_forgotten(env: dict[str, str]) -> None:
    remember(env, ONE, ["a", "b"])
    forget(env, ONE, "a")
    forget(env, ONE, "never-seen")
    assert known_names(env, ONE) == ["b"]


def test_the_newest_thousand_are_kept(env: dict[str, str]) -> None:
    remember(env, ONE, (f"old-{number}" for number in range(1500)))
    remember(env, ONE, ["new"])
    known = known_names(env, ONE)
    assert len(known) == 1000
    assert "new" in known
    assert "old-999" not in known


@pytest.mark.parametrize("bad", ["$(rm -rf .)", "a\nb", "", "A", "-a", "a" * 64, "ä"])
def test_what_is_no_context_id_never_reaches_a_shell(env: dict[str, str], bad: str) -> None:
    remember(env, ONE, [bad, "good"])
    assert known_names(env, ONE) == ["good"]


def test_a_damaged_cache_is_an_empty_one(env: dict[str, str], tmp_path: Path) -> None:
    remember(env, ONE, ["a"])
    (file,) = (tmp_path / ".cache/spectronctl/contexts").iterdir()
    file.write_bytes(b"\xff\n$(x)\n")
    assert known_names(env, ONE) == []
    remember(env, ONE, ["b"])
    assert known_names(env, ONE) == ["b"]


def test_no_failure_is_ever_heard_of(tmp_path: Path) -> None:
    (tmp_path / ".cache").write_text("a file where a directory is needed")
    env = {"HOME": str(tmp_path)}
    remember(env, ONE, ["a"])
    forget(env, ONE, "a")
    assert known_names(env, ONE) == []
    remember(env, "http://" + "x" * 300, ["a"])


def test_the_cache_is_its_owners_alone_and_leaves_no_litter(
    env: dict[str, str], tmp_path: Path
) -> None:
    remember(env, ONE, ["a"])
    folder = tmp_path / ".cache/spectronctl/contexts"
    (file,) = folder.iterdir()
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_cache_that_cannot_be_read_is_not_written_over(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(env, ONE, ["a"])
    (file,) = (tmp_path / ".cache/spectronctl/contexts").iterdir()

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refuse)
        remember(env, ONE, ["b"], replace=True)
        forget(env, ONE, "a")
        assert known_names(env, ONE) == []
    assert file.read_text() == "a\n"


def test_names_are_kept_by_kind_and_context(env: dict[str, str], tmp_path: Path) -> None:
    remember(env, ONE, ["acme"])
    remember(env, ONE, ["indexer.g2", "crawler"], kind="keys", context="acme")
    remember(env, ONE, ["other"], kind="keys", context="beta")
    remember(env, ONE, ["01M8"], kind="sessions", context="acme")
    assert known_names(env, ONE, kind="keys", context="acme") == ["crawler", "indexer.g2"]
    assert known_names(env, ONE, kind="jobs", context="acme") == []
    remember(env, ONE, ["new"], replace=True, kind="keys", context="acme")
    forget(env, ONE, "other", kind="keys", context="acme")
    assert known_names(env, ONE, kind="keys", context="acme") == ["new"]
    assert known_names(env, ONE, kind="keys", context="beta") == ["other"]
    assert known_names(env, ONE) == ["acme"]
    files = [path for path in (tmp_path / ".cache/spectronctl").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_thousand_names_of_a_kind_are_kept_in_all_contexts_of_a_server(
    env: dict[str, str],
) -> None:
    for context in ("a", "b"):
        remember(env, ONE, map(str, range(800)), kind="jobs", context=context)
    assert len(known_names(env, ONE, kind="jobs", context="a")) == 200
    assert len(known_names(env, ONE, kind="jobs", context="b")) == 800


@pytest.mark.parametrize("bad", ["$(x)", "a b", "a\nb", "-a", "", " a", "a:b", "a" * 201])
def test_what_needs_quotes_is_not_kept(env: dict[str, str], bad: str) -> None:
    remember(env, ONE, [bad, "good"], kind="keys", context="acme")
    assert known_names(env, ONE, kind="keys", context="acme") == ["good"]
