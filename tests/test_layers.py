"""Which part of the program may import which, and which library lives where (docs/architecture.md)."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "spectronctl"
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "ground": set(),
    "local": {"ground", "errors"},
    "models": {"ground"},
    "api": {"models", "ground", "errors"},
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
    "cryptography": "client",
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
    "subprocess": "ground",
}
VISITS = {
    *((name, "server/providers/http.py") for name in ("httpx", "truststore")),
    ("filelock", "server/store/holding.py"),
    ("cryptography", "server/database/sealing.py"),
    ("subprocess", "server/database/connections.py"),
}
"""

What else may import a library than its home.

The server seals secrets, and sends requests to providers of models. Its store is locked by a file beside it, and it may
not import `local`. It starts a child that is its own, and no exit code of that child counts.
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


ROOMS = """
serving
app
handlers
mcp
reasoning
facts
documents
sessions
contexts
upkeep
recall
index
entities
principals
keys
scopes
audit
ontology traces idempotency service
jobs
access
registry
http
database
store
providers
migrations
"""
"""The server's rooms, from top to bottom: each may import those in lower lines, and no other room's routes."""
LEVELS = {room: level for level, line in enumerate(ROOMS.split("\n")) for room in line.split()}
OUTSIDE_ROOMS = {"", "extra"}
"""The package itself, and what tells which extra is missing."""


class Imports(ast.NodeVisitor):
    """Collect what a module imports when it runs; what stands under `if TYPE_CHECKING:` only with `types`."""

    def __init__(self, path: Path, *, types: bool = False) -> None:
        self.names: set[str] = set()
        self._types = types
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_If(self, node: ast.If) -> None:
        if self._types or ast.unparse(node.test) != "TYPE_CHECKING":
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.names |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        self.names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}


@cache
def list_imports(module: str, *, types: bool = False) -> set[str]:
    """The names that a module of the package imports."""
    return Imports(PACKAGE / module, types=types).names


MODULES = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


def part_of(module: str) -> str:
    return module.split("/")[0].removesuffix(".py")


def test_imports_point_downwards() -> None:
    for module in MODULES:
        part = part_of(module)
        for name in [] if part.startswith("__") else list_imports(module):
            check_import(module, part, name)


def check_import(module: str, part: str, name: str) -> None:
    top, _, rest = name.partition(".")
    target = rest.split(".")[0]
    assert not name.startswith("typer._"), f"{module} reaches into Typer's private {name}"
    at_home = HOME.get(top, part) == part or (top, module) in VISITS
    assert at_home, f"{module} imports {name}, which lives in {HOME[top]}"
    if top == "spectronctl" and target and target != "__version__":
        assert target == part or target in MAY_IMPORT[part], f"{module} imports {name}"
        if part == "cli" and target == "server":
            assert module in REACHES_INTO_SERVER, f"{module} reaches into the server"


def test_the_lowest_layers_need_little_but_the_standard_library() -> None:
    for module in MODULES:
        if part_of(module) in ONLY:
            known = {*sys.stdlib_module_names, "spectronctl", *ONLY[part_of(module)]}
            assert {name.partition(".")[0] for name in list_imports(module)} <= known, module


def test_typer_is_leant_on_in_one_seam() -> None:
    inner = {
        module
        for module in MODULES
        if any(name.startswith(("typer.core", "typer.main")) for name in list_imports(module))
    }
    assert inner == {"cli/_typer.py"}


def test_jobs_know_no_room() -> None:
    jobs = [
        name
        for module in MODULES
        if module.startswith("server/jobs/")
        for name in list_imports(module)
    ]
    rooms = {name.split(".")[2] for name in jobs if name.startswith("spectronctl.server.")}
    assert rooms <= {"jobs", "access", "registry", "http", "database"}


def test_every_layer_is_held() -> None:
    parts = {part_of(module) for module in MODULES}
    assert {p for p in parts if not p.startswith("__")} == set(MAY_IMPORT)


def list_rooms(module: str) -> tuple[str, set[str]]:
    """The room of one of the server's modules, and what it imports of other rooms."""
    room = module.removeprefix("server/").split("/")[0].removesuffix(".py")
    inside = {
        name.removeprefix("spectronctl.server.")
        for name in find_imports(module)
        if name.startswith("spectronctl.server.")
    }
    return room, {name for name in inside if name.split(".")[0] not in {room, *OUTSIDE_ROOMS}}


def may_import(room: str, name: str) -> bool:
    is_below = LEVELS[name.split(".")[0]] > LEVELS[room]
    return is_below and (room == "app" or not name.endswith("routes"))


SERVER = [m for m in MODULES if m.startswith("server/") and m != "server/__init__.py"]


def test_a_room_imports_rooms_below_it_and_no_routes() -> None:
    offenders: dict[str, set[str]] = {}
    for module in SERVER:
        room, names = list_rooms(module)
        if found := {name for name in names if not may_import(room, name)}:
            offenders[module.removeprefix("server/")] = found
    assert offenders == {}


def test_every_room_has_its_place() -> None:
    assert {list_rooms(module)[0] for module in SERVER} - OUTSIDE_ROOMS <= LEVELS.keys()


def find_imports(module: str) -> set[str]:
    """
    The modules of this program that one imports, for types too.

    But for the types of a package's public names, which are resolved when they are first used: those modules import
    the package.
    """
    is_package = module.endswith("__init__.py")
    names = list_imports(module, types=not is_package)
    found = {name for name in names if name in NAMES}
    # `from package import module` names the package, too.
    packages = {name for name in found if any(other.startswith(f"{name}.") for other in found)}
    return found - packages - {name_module(module)}


def name_module(path: str) -> str:
    parts = ["spectronctl", *path.removesuffix(".py").split("/")]
    return ".".join(parts).removesuffix(".__init__")


NAMES = {name_module(module): module for module in MODULES}


IMPORTS = {name: find_imports(module) for name, module in NAMES.items()}


def reach(start: str) -> set[str]:
    """All that is imported by way of a module; the module itself only from a circle."""
    found: set[str] = set()
    left = [start]
    while left:
        new = IMPORTS[left.pop()] - found
        found |= new
        left += new
    return found


def test_no_imports_go_in_a_circle() -> None:
    reached = {name: reach(name) for name in IMPORTS}
    assert [name for name in IMPORTS if name in reached[name]] == []
