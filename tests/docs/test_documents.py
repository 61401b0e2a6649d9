"""The documents as a whole: their links, their length, their words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_layers import MAY_IMPORT
from tools.documents import DOCUMENTS, GUIDE, README, ROOT

GENERATED = [ROOT / "docs" / "commands.md", ROOT / "docs" / "python.md"]
WRITTEN = sorted(
    {
        README,
        ROOT / "CONTRIBUTING.md",
        *(path for path in ROOT.glob("docs/**/*.md") if path not in GENERATED),
    }
)
"""What people wrote."""

LINKED = [
    *WRITTEN,
    *GENERATED,
    ROOT / "CHANGELOG.md",
    *ROOT.glob("benchmarks/*.md"),
    *ROOT.glob("examples/**/*.md"),
]

MAX_LINES = 400
AVOIDED = ("nobody", "whoever", "somebody", "anybody", "is to become")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read_prose(path: Path) -> str:
    """Without blocks and words of code: what commands print is theirs."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`", "``", text)


def find_links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", read_prose(path))


def find_anchors(path: Path) -> set[str]:
    """The fragments that its headings can be reached by, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("document", LINKED, ids=name)
def test_links_between_documents_resolve(document: Path) -> None:
    for link in find_links(document):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not fragment or fragment in find_anchors(target), link


def test_the_readme_shows_no_picture_that_only_a_checkout_has() -> None:
    """An index shows the README alone: of its pictures, only those with a whole URL would be seen."""
    assert re.findall(r"!\[[^\]]*\]\((?!https:)|<img", README.read_text()) == []


@pytest.mark.parametrize("document", WRITTEN, ids=name)
def test_a_document_is_not_too_long(document: Path) -> None:
    assert len(document.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("document", WRITTEN, ids=name)
def test_the_words_are_those_of_the_field(document: Path) -> None:
    prose = read_prose(document).lower()
    assert [word for word in AVOIDED if re.search(rf"\b{word}\b", prose)] == []


@pytest.mark.parametrize("document", WRITTEN, ids=name)
def test_every_document_is_reached_from_readme(document: Path) -> None:
    linked = {(README.parent / link.partition("#")[0]).resolve() for link in find_links(README)}
    assert document in {README, *linked}


def test_every_page_of_the_guide_is_run() -> None:
    assert {*GUIDE.rglob("*.md"), README} == set(DOCUMENTS)


def test_the_glossary_is_in_order() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text()
    terms = re.findall(r"^\*\*([^*]+)\*\*", text, re.MULTILINE)
    assert len(terms) > 20
    assert terms == sorted(terms, key=str.lower)


def list_parts(folder: Path) -> set[str]:
    """Its packages, and the modules beside them that are more than a mark."""
    small = {"__init__.py", "__main__.py", "extra.py", "pytest_plugin.py", "py.typed"}
    files = [
        *folder.rglob("*.py"),
        *folder.rglob("*.surql"),
    ]  # a folder that is gone may leave compiled files
    found = {path.relative_to(folder).parts for path in files}
    return {f"{top}/" if rest else top for top, *rest in found if rest or top not in small}


@pytest.mark.parametrize(
    ("heading", "folder"),
    [
        ("The package, from top to bottom", ROOT / "spectronctl"),
        ("The server, by resource", ROOT / "spectronctl" / "server"),
    ],
)
def test_the_architecture_names_every_part(heading: str, folder: Path) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == list_parts(folder)


def test_the_architecture_says_which_part_may_import_which() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.partition("## The package, from top to bottom\n")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
    said = {
        row[1].strip(" `/").removesuffix(".py"): set(re.findall(r"`(\w+)`", row[3])) for row in rows
    }
    del said["cli"]  # "all below"
    implied = {"ground", "errors"}
    assert said == {part: MAY_IMPORT[part] - implied for part in said}
