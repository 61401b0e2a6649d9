"""
What the code leans on inside its libraries, beyond what they document.

Each test fails when a library has changed there, and names the module of ours that must follow. The first one finds
every private name that the code uses, so that a new reach gets its test here. The upper pins in `pyproject.toml` keep
users from a version for which this was not run.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import httpcore
import httpx
import pytest
import typer
from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

PACKAGE = Path(__file__).parents[1] / "spectronctl"

REACHES = {
    ("cli/_typer.py", "ctx._protected_args"),
    ("client/_network_async.py", "transport._pool"),
    ("client/_network_async.py", "transport._pool._network_backend"),
    ("client/_network_sync.py", "transport._pool"),
    ("client/_network_sync.py", "transport._pool._network_backend"),
    ("client/_threads.py", "httpcore._backends.sync"),
    ("server/serving/listening.py", "self._captured_signals"),
}
DOCUMENTED = {"os._exit", "sys._current_frames"}
"""Python's own, with an underscore for a warning."""


def list_reaches(path: Path) -> Iterator[tuple[str, str]]:
    """Names with an underscore of modules outside, and of objects that this package has not made."""
    name = path.relative_to(PACKAGE).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr not in OURS and is_private(node.attr):
            yield name, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("spectronctl"):
            parts = (node.module or "").split(".")
            if any(is_private(part) for part in parts) and parts[0] != "_typeshed":
                yield name, node.module or ""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def list_own(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if ast.unparse(node.value) in {"self", "cls"}:
                yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


FILES = sorted(PACKAGE.rglob("*.py"))
OURS = {name for path in FILES for name in list_own(path)}


def test_every_reach_into_a_library_is_listed_and_tested_here() -> None:
    found = {reach for path in FILES for reach in list_reaches(path)}
    assert {each for each in found if each[1] not in DOCUMENTED} == REACHES


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:1"])
def test_httpx_keeps_its_pool_where_the_client_puts_its_network(proxy: str | None) -> None:
    lean = "spectronctl/client/_network_async.py sets transport._pool._network_backend"
    for transport in (httpx.HTTPTransport(proxy=proxy), httpx.AsyncHTTPTransport(proxy=proxy)):
        pool = getattr(transport, "_pool", None)
        assert hasattr(pool, "_network_backend"), lean


def test_httpcore_makes_a_stream_of_a_socket() -> None:
    from httpcore._backends.sync import SyncStream

    lean = "spectronctl/client/_threads.py makes a SyncStream of a connected socket"
    assert list(inspect.signature(SyncStream).parameters) == ["sock"], lean
    assert issubclass(SyncStream, httpcore.NetworkStream), lean


def test_httpx_does_without_its_command_line() -> None:
    lean = "spectronctl/client/_httpx.py hides httpx._main while httpx is imported"
    text = Path(inspect.getsourcefile(httpx) or "").read_text()
    assert "from ._main import main" in text, lean
    assert "except ImportError" in text, lean


def test_typer_keeps_the_verb_of_a_group_apart() -> None:
    lean = "spectronctl/cli/_typer.py reads ctx._protected_args after a group's parse_args"
    app = typer.Typer()
    app.command("one")(lambda: None)
    app.command("two")(lambda: None)
    group = typer.main.get_group(app)
    context = group.make_context("app", ["two"], resilient_parsing=True)
    assert context._protected_args == ["two"], lean


def test_typer_asks_a_command_for_its_parameters_and_its_help() -> None:
    lean = "spectronctl/cli/_typer.py overrides it"
    for method in ("get_params", "parse_args", "format_options"):
        assert callable(getattr(typer.core.TyperCommand, method, None)), f"{lean}: {method}"
        assert callable(getattr(typer.core.TyperGroup, method, None)), f"{lean}: {method}"
    for method in ("get_command", "resolve_command", "format_commands"):
        assert callable(getattr(typer.core.TyperGroup, method, None)), f"{lean}: {method}"


def test_uvicorn_has_the_protocol_that_is_watched() -> None:
    from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

    lean = "spectronctl/server/serving/protocol.py builds on H11Protocol"
    for method in ("connection_made", "data_received", "resume_writing", "shutdown"):
        assert method in vars(H11Protocol), f"{lean}: {method}"
    assert "connection_lost" in vars(H11Protocol), lean
    made = inspect.getsource(H11Protocol.__init__)
    for attribute in ("connections", "loop", "transport", "cycle"):
        assert f"self.{attribute}" in made, f"{lean}: self.{attribute}"
    assert "self.response_complete = False" in inspect.getsource(RequestResponseCycle), lean


def test_uvicorn_keeps_the_signals_that_it_caught() -> None:
    import uvicorn

    lean = "spectronctl/server/serving/listening.py reads and clears Server._captured_signals"
    server = uvicorn.Server(uvicorn.Config("none:app"))
    assert server._captured_signals == [], lean
    assert callable(server.capture_signals), lean
    assert "_captured_signals" in inspect.getsource(uvicorn.Server.capture_signals), lean
    assert "_captured_signals" in inspect.getsource(uvicorn.Server.handle_exit), lean


def test_fastapi_shows_what_a_route_depends_on() -> None:
    def reader() -> None: ...

    lean = "spectronctl/server/http/bodies.py and access/gates.py read route.dependant"
    router = APIRouter()
    router.add_api_route("/", lambda: None, dependencies=[Depends(reader)])
    (route,) = router.routes
    assert isinstance(route, APIRoute)
    assert [each.call for each in route.dependant.dependencies] == [reader], lean


def test_the_sdk_of_the_database_makes_frames_for_the_engine() -> None:
    from surrealdb.data.cbor import decode
    from surrealdb.request_message.message import RequestMessage
    from surrealdb.request_message.methods import RequestMethod
    from surrealdb_embedded import SyncEmbeddedDB

    lean = "spectronctl/server/database/connections.py and engine.py speak to the engine themselves"
    message = RequestMessage(RequestMethod.QUERY, query="RETURN $x;", params={"x": 1})
    engine = SyncEmbeddedDB("mem://")
    try:
        response = decode(engine.execute(message.WS_CBOR_DESCRIPTOR))
    finally:
        engine.close()
    assert [each["result"] for each in response["result"]] == [1], lean
