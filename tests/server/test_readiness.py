"""The file that says that a server is ready: where it cannot be written, and where it cannot be removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from spectronctl.errors import ConfigError
from spectronctl.server.serving.ready_file import announce_ready


@pytest.mark.parametrize("place", [".", "directory", "file/ready.json"])
def test_a_place_where_no_file_can_be_is_refused_before_anything_runs(
    place: str, tmp_path: Path
) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigError, match="cannot write the ready file"),
        announce_ready(tmp_path / place),
    ):
        pytest.fail("this would be served")


def test_a_draft_that_cannot_be_written_is_told_as_the_file_that_it_was_to_be(
    tmp_path: Path,
) -> None:
    (tmp_path / ".ready.json.new").mkdir()
    with (
        pytest.raises(ConfigError, match=r"cannot write the ready file .*/ready\.json"),
        announce_ready(tmp_path / "ready.json") as announce,
    ):
        announce({})


def test_a_file_that_cannot_be_removed_is_told_and_hides_no_other_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "ready.json"

    def fall() -> None:
        path.mkdir()
        raise RuntimeError("the server fell")

    with pytest.raises(RuntimeError, match="the server fell"), announce_ready(path):
        fall()
    assert f"cannot remove the ready file {path}" in caplog.text


@pytest.mark.parametrize("name", ["ready.json", ".ready.json.new"])
def test_no_link_that_was_put_in_the_way_is_followed(tmp_path: Path, name: str) -> None:
    victim, ready = tmp_path / "victim", tmp_path / "ready.json"
    victim.write_text("precious")
    (tmp_path / name).symlink_to(victim)
    with announce_ready(ready) as announce:
        announce({})
        assert not ready.is_symlink()
        assert '"ready"' in ready.read_text()
    assert victim.read_text() == "precious"
