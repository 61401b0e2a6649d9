"""Where the extra comes from: never from the name on an index, which a stranger may register."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from spectronctl.ground import installing
from spectronctl.ground.installing import find_install_command, format_install

GIT = {
    "url": "https://ada:hidden@git.test/x.git",
    "vcs_info": {"vcs": "git", "requested_revision": "v1", "commit_id": "abc"},
}
CHECKOUT = {"url": "file:///src/it%20is", "dir_info": {"editable": True}}
WHEEL = {"url": "https://files.test/spectronctl-1-py3-none-any.whl", "archive_info": {}}
PIP = f"{sys.executable} -m pip install"


@pytest.mark.parametrize(
    ("source", "installer", "prefix", "command"),
    [
        (CHECKOUT, "pip", "/venv", f"{PIP} --editable '/src/it is[local]'"),
        (CHECKOUT | {"dir_info": {}}, "pip\n", "/venv", f"{PIP} '/src/it is[local]'"),
        (GIT, "pip", "/venv", f"{PIP} 'spectronctl[local] @ git+https://git.test/x.git@v1'"),
        (
            {
                "url": "https://g.test/x",
                "vcs_info": {"vcs": "git", "commit_id": "abc"},
                "subdirectory": "a",
            },
            "pip",
            "/venv",
            f"{PIP} 'spectronctl[local] @ git+https://g.test/x@abc#subdirectory=a'",
        ),
        (
            WHEEL,
            "uv",
            "/venv",
            f"uv pip install --python /venv 'spectronctl[local] @ {WHEEL['url']}'",
        ),
        (
            WHEEL,
            "pip",
            "/home/u/.local/share/pipx/venvs/spectronctl",
            f"pipx install --force 'spectronctl[local] @ {WHEEL['url']}'",
        ),
        (
            GIT,
            "uv",
            "/home/u/.local/share/uv/tools/spectronctl",
            "uv tool install --force 'spectronctl[local] @ git+https://git.test/x.git@v1'",
        ),
    ],
)
def test_each_program_and_each_source(
    source: dict[str, Any], installer: str, prefix: str, command: str
) -> None:
    assert format_install(source, installer, prefix) == command


def test_this_checkout_names_itself() -> None:
    command = find_install_command()
    assert command
    assert str(Path(installing.__file__).parents[2]) in command


@pytest.mark.parametrize("record", [None, "", "null", "[]", "{}", '{"url": 7}', "no json"])
def test_without_a_record_no_command_is_made_up(
    record: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Found:
        def read_text(self, name: str) -> str | None:
            return record

    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Found())
    assert find_install_command() is None


def test_no_text_of_ours_installs_by_the_bare_name() -> None:
    root = Path(installing.__file__).parents[2]
    folders = ("spectronctl", "docs", "examples", "completions")
    files = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file()]
    texts = [path for path in [*files, root / "README.md"] if path.suffix not in {".pyc", ".png"}]
    bare = re.compile(
        r"(pip|pipx|uv tool) (install|run|inject)[^\n]*['\" ]spectronctl(\[|['\"\s]|$)(?! @)"
    )
    found = [path for path in texts if bare.search(path.read_text(errors="replace"))]
    assert found == []
