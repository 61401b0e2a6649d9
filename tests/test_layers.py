"""Which part of the program may import which, and which library lives where (docs/architecture.md)."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "spectronctl"
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "ground": set(),
    "local": {"ground", "errors"},
    "models": {"ground"},
    "api": {"models", "ground"},
    "client": {"api", "models", "ground", "errors"},
    "operations": {"client", "api", "models", "local", "ground", "errors"},
    "config": {"local", "ground", "errors"},
    "output": {"models", "ground", "errors"},
    "server": {"models", "ground", "errors"},
    "testing": {"operations", "client", "models", "ground", "errors", "server"},
    "cli": {
        *("testing", "operations", "client", "api", "models", "server"),
        *("config", "local", "output", "ground", "errors"),
    },
    "pytest_plugin": {"testing", "errors"},
}
HOME = {
    "typer": "cli",
    "httpx": "client",
    "truststore": "client",
    "rich": "output",
    "jmespath": "output",
    "yaml": "output",
    "tomlkit": "config",
    "platformdirs": "local",
    "filelock": "local",
    "fastapi": "server",
    "starlette": "server",
    "uvicorn": "server",
    "surrealdb": "server",
    "surrealdb_embedded": "server",
    "pytest": "pytest_plugin",
}
VISITS = {
    *((name, "server/providers/http.py") for name in ("httpx", "truststore")),
    ("filelock", "server/database/holding.py"),
}
"""

What else may import a library than its home.

The server sends requests to providers of models. Its store is locked by a file beside it, and it may not import
`local`.
"""
ONLY: dict[str, set[str]] = {
    "errors": set(),
    "ground": set(),
    "models": {"pydantic", "typing_extensions"},
}
"""All that these layers may import besides the standard library."""
REACHES_INTO_SERVER = {
    "cli/embedded.py",
    "cli/commands/serve/__init__.py",
    "cli/commands/serve/exec.py",
}


class Imports(ast.NodeVisitor):
    """Collect what a module imports when it runs; `if TYPE_CHECKING:` does not count."""

    def __init__(self, path: Path) -> None:
        self.names: set[str] = set()
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) != "TYPE_CHECKING":
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.names |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        self.names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}


MODULES = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


def part_of(module: str) -> str:
    return module.split("/")[0].removesuffix(".py")


@pytest.mark.parametrize("module", [m for m in MODULES if not part_of(m).startswith("__")])
def test_imports_point_downwards(module: str) -> None:
    part = part_of(module)
    for name in Imports(PACKAGE / module).names:
        top, _, rest = name.partition(".")
        target = rest.split(".")[0]
        assert not name.startswith("typer._"), f"{module} reaches into Typer's private {name}"
        at_home = HOME.get(top, part) == part or (top, module) in VISITS
        assert at_home, f"{module} imports {name}, which lives in {HOME[top]}"
        if top == "spectronctl" and target and target != "__version__":
            assert target == part or target in MAY_IMPORT[part], f"{module} imports {name}"
            if part == "cli" and target == "server":
                assert module in REACHES_INTO_SERVER, f"{module} reaches into the server"


@pytest.mark.parametrize("module", [m for m in MODULES if part_of(m) in ONLY])
def test_the_lowest_layers_need_little_but_the_standard_library(module: str) -> None:
    known = {*sys.stdlib_module_names, "spectronctl", *ONLY[part_of(module)]}
    assert {name.partition(".")[0] for name in Imports(PACKAGE / module).names} <= known


def test_typer_is_leant_on_in_one_seam() -> None:
    inner = {
        module
        for module in MODULES
        if any(
            name.startswith(("typer.core", "typer.main"))
            for name in Imports(PACKAGE / module).names
        )
    }
    assert inner == {"cli/_typer.py"}


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("server/jobs/")])
def test_jobs_know_no_room(module: str) -> None:
    imported = {n for n in Imports(PACKAGE / module).names if n.startswith("spectronctl.server.")}
    allowed = {"jobs", "access", "registry", "http", "database"}
    assert {name.split(".")[2] for name in imported} <= allowed


def test_every_layer_is_held() -> None:
    parts = {part_of(module) for module in MODULES}
    assert {p for p in parts if not p.startswith("__")} == set(MAY_IMPORT)
