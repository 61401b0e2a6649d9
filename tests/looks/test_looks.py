"""What a person sees at a terminal, kept in files that a person can read; `make looks` writes them anew."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from rich.cells import cell_len

import spectronctl.cli.commands
from spectronctl.output.cells import format_value
from spectronctl.output.views import View
from tests.looks.files import FILES, FOLDER
from tests.looks.scenes import FAMILIES, Scene
from tests.looks.tables import show

SCENES = [scene for scenes in FAMILIES.values() for scene in scenes]


@pytest.mark.parametrize("name", FILES)
def test_what_is_seen_is_what_the_file_keeps(name: str) -> None:
    assert FILES[name]() == (FOLDER / name).read_text(encoding="utf-8"), "make looks"


def test_no_other_file_is_kept() -> None:
    kept = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*.txt")}
    assert kept == set(FILES)


def find_views() -> Iterator[tuple[str, View]]:
    """Every view that a module of a command declares."""
    package = spectronctl.cli.commands
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if isinstance(value, View) and value.columns:
                yield f"{found.name}.{name}", value


def test_every_view_of_the_tree_is_looked_at() -> None:
    seen = {id(scene.view) for scene in SCENES}
    assert [name for name, view in find_views() if id(view) not in seen] == []


TABLES = [scene for scene in SCENES if not scene.single or scene.view.parts]


def list_rows(scene: Scene) -> list[dict[str, Any]]:
    if scene.view.parts is None:
        return scene.items
    return [row for item in scene.items for row in scene.view.parts(item)]


@pytest.mark.sampled
@pytest.mark.parametrize("width", ["80", "120", "200"])
@pytest.mark.parametrize("scene", TABLES, ids=lambda scene: scene.command)
def test_a_table_fits_and_breaks_neither_an_id_nor_a_header(scene: Scene, width: str) -> None:
    head, *lines = show(scene, width, "table").splitlines()
    told = lines.pop() if lines[-1].startswith("Not shown") else ""
    missing = told.removeprefix("Not shown at this width: ").partition(". -o wide")[0].split(", ")
    assert all(cell_len(line) <= int(width) for line in [head, *lines])
    for column in scene.view.columns:
        title = column.title.upper()
        is_seen = title in head.split()
        assert is_seen or column.optional or column.kind == "words" or title in missing
        if is_seen and column.kind == "id":
            for row in list_rows(scene):
                assert any(format_value(column.read(row)) in line for line in lines)


@pytest.mark.parametrize("scene", TABLES, ids=lambda scene: scene.command)
def test_wide_is_one_line_a_row_with_every_column(scene: Scene) -> None:
    lines = show(scene, "20", "wide").splitlines()
    assert len(lines) == len(list_rows(scene)) + 1
    assert lines[0].split() == [column.title.upper() for column in scene.view.every_column]
