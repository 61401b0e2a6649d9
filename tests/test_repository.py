"""What must hold of every file in the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.split()


def test_no_file_names_a_registry_or_a_place_of_one_machine() -> None:
    registries = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "deb.debian" + ".org")
    places = (str(ROOT), "/root/" + ".pyenv")
    for name in FILES:
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        found = [word for word in (*registries, *places) if word in text]
        assert not found, f"{name}: {found}"


def test_every_locked_requirement_is_pinned_and_hashed() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        for entry in path.read_text().replace("\\\n", " ").splitlines():
            assert re.match(r"[\w.\[\],-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry), entry


def test_the_changelog_keeps_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert text.startswith("# Changelog\n")
    assert "\n## [Unreleased]\n" in text
    sections = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert sections <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


OUTSIDE = re.compile(
    r"\(contract\b|\(seed \d|\bseed \d{3}\b|\bcli\.md\b|\(OpenAPI\b|OpenAPI `[A-Z/]|\.\./"
    r"shared\b"
)
"""References to documents that are not in the repository."""
PENDING = ("spectronctl/server/",)
"""Places where such references are still to be replaced; one that has none left must leave the list."""


def test_no_file_refers_to_a_document_outside_the_repository() -> None:
    own = {"tests/test_repository.py"}
    found = {
        name
        for name in FILES
        if name not in own
        and OUTSIDE.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    }
    assert not [name for name in found if not name.startswith(PENDING)]
    assert not [place for place in PENDING if not any(name.startswith(place) for name in found)]
