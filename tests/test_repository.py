"""What must hold of every file in the repository."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hatchling.builders.plugin.interface import BuilderInterface
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
FILES = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.split()
MODULES = [name for name in FILES if name.endswith(".py") and (ROOT / name).exists()]
TESTS = [name for name in MODULES if re.match(r"tests/(.*/)?test_[^/]*$", name)]
USED_BY = {"tests": {"tests"}, "tools": {"tests", "tools"}, "benchmarks": {"tests", "benchmarks"}}
"""Folders that only some may import."""


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


@cache
def parse(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def list_imports(name: str) -> Iterator[tuple[str, str]]:
    """Module and name of everything that is imported anywhere in it; no name where the module is."""
    package = name.split("/")[:-1]
    for node in ast.walk(parse(name)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((module, alias.name) for alias in node.names)


@cache
def list_fixtures(name: str) -> set[str]:
    """What the module itself defines for tests to ask for."""
    return {
        node.name
        for node in parse(name).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)
    }


def test_tests_and_tools_are_not_imported_from_outside() -> None:
    assert len(MODULES) > 500
    for name in MODULES:
        own = name.split("/")[0]
        for module, what in list_imports(name):
            top = module.partition(".")[0]
            assert own in USED_BY.get(top, {own}), f"{name} imports {module} {what}"


def test_fixtures_come_from_the_folder() -> None:
    """A module of tests takes its fixtures by their names from a conftest.py, and hands on none."""
    assert len(TESTS) > 200
    for name in TESTS:
        names = {node.id for node in ast.walk(parse(name)) if isinstance(node, ast.Name)}
        assert "__all__" not in names, name
        for module, what in list_imports(name):
            assert not module.endswith("conftest"), f"{name} imports {what} from {module}"
            path = ROOT / (module.replace(".", "/") + ".py")
            if path.is_file():
                assert what not in list_fixtures(str(path.relative_to(ROOT))), f"{name}: {what}"


def test_what_tests_share_defines_no_fixtures() -> None:
    shared = [name for name in MODULES if name.startswith("tests/support/")]
    assert len(shared) > 20
    assert {name: list_fixtures(name) for name in shared} == {name: set() for name in shared}


def list_built(builder: BuilderInterface) -> set[str]:  # type: ignore[type-arg]
    return {Path(file.distribution_path).as_posix() for file in builder.recurse_included_files()}


def test_what_is_published_comes_from_these_folders_only() -> None:
    program = {name for name in FILES if name.startswith("spectronctl/") and (ROOT / name).exists()}
    kept = {
        *(name for name in FILES if name.startswith(("completions/", "docs/"))),
        *("README.md", "CHANGELOG.md", "LICENSE"),
    }
    assert list_built(WheelBuilder(str(ROOT))) == program
    assert list_built(SdistBuilder(str(ROOT))) == program | kept


STRAYS = [
    "notes/README.md",
    "old/spectronctl/server/app.py",
    "env/lib/docs/guide/a.md",
    "docs/draft.txt",
    "spectronctl/server/dump.sql",
    "spectronctl/secret.env",
    "completions/old/_spectronctl",
]


def test_no_stray_file_is_published(tmp_path: Path) -> None:
    """Built from a copy of the repository in which files lie about, and read back."""
    for name in FILES:
        if (ROOT / name).exists() and not name.startswith(("tests/", "benchmarks/")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tmp_path / name)
    clean = list_built(SdistBuilder(str(tmp_path)))
    program = list_built(WheelBuilder(str(tmp_path)))
    for name in STRAYS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("stray")
    (built,) = SdistBuilder(str(tmp_path)).build(directory=str(tmp_path / "dist"))
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names == clean | {"PKG-INFO", "pyproject.toml", ".gitignore"}
    assert list_built(WheelBuilder(str(tmp_path))) == program


OUTSIDE = re.compile(
    r"\(contract\b|\(seed \d|\bseed \d{3}\b|\bcli\.md\b|\(OpenAPI\b|OpenAPI `[A-Z/]|\.\./"
    r"shared\b"
)
"""References to documents that are not in the repository."""


def test_no_file_refers_to_a_document_outside_the_repository() -> None:
    own = {"tests/test_repository.py"}
    found = {
        name
        for name in FILES
        if name not in own
        and OUTSIDE.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    }
    assert found == set()
