"""The pictures of the guide are what the commands show, and need nothing from anywhere else."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.pictures import PICTURES, WIDTH, make_pictures

IMAGES = Path(__file__).parents[2] / "docs" / "images"
CELL = 12.2  # pixels, as rich draws it


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return make_pictures()


def read_lines(svg: str) -> list[str]:
    """The lines of text in a picture, from the places of its pieces."""
    rows: dict[float, str] = defaultdict(str)
    for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        if element.text and "title" not in element.attrib["class"]:
            place, height = round(float(element.attrib["x"]) / CELL), float(element.attrib["y"])
            rows[height] = rows[height].ljust(place) + element.text.replace("\xa0", " ")
    return [row.rstrip() for _, row in sorted(rows.items())]


@pytest.mark.parametrize("file", PICTURES)
def test_a_picture_is_current(file: str, drawn: dict[str, str]) -> None:
    assert (IMAGES / file).read_text(encoding="utf-8") == drawn[file], "make generate"


def test_there_are_no_other_pictures() -> None:
    assert {path.name for path in IMAGES.iterdir()} == set(PICTURES)


@pytest.mark.parametrize("file", PICTURES)
def test_a_picture_asks_no_host_for_anything(file: str) -> None:
    svg = (IMAGES / file).read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]
    assert re.findall(r"url\((?!#)|@import|@font-face|<script|<image", svg) == []


@pytest.mark.parametrize("file", PICTURES)
def test_no_line_of_a_picture_is_wider_than_its_window(file: str) -> None:
    for line in read_lines((IMAGES / file).read_text(encoding="utf-8")):
        assert len(line) <= WIDTH, line


def test_the_pictures_show_what_they_are_there_for(drawn: dict[str, str]) -> None:
    contexts, rotation, transcript = (read_lines(drawn[file]) for file in PICTURES)
    for lines, picture in zip((contexts, rotation, transcript), PICTURES.values(), strict=True):
        for typed in picture.typed.strip().splitlines():
            assert typed in {line.removeprefix("$ ") for line in lines}
    assert re.split("  +", contexts[2])[3:] == ["365", "anthropic,openai", "401d"]
    assert "2 to rotate; nothing was sent." in rotation
    assert rotation[-1].endswith("in 1d          file /run/agents/billing-agent.key")
    assert transcript[1] == "user  2026-05-04 09:13  #1"
