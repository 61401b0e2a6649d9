"""A name in a path may hold a slash, encoded: it reaches its route whole, and never divides the path."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.support.soak import SOAK
from tests.support.wire import listen

pytestmark = pytest.mark.anyio

NAMES = [
    *(
        "MLWK3LL/A",
        "a/b",
        "/",
        "//",
        "a/",
        "/a",
        "..",
        "../..",
        "./a",
        "a\\b",
        "%2F",
        "%252f",
        "%5c",
    ),
    *("principal:abc", "a b", "café/té", "a?b#c", "x/keys", "../contexts/a", "keys/x/rotate"),
]
"""As a client means them; they travel as the vendor's SDKs quote them, with nothing safe."""

EVERY = 1 if SOAK else 4
"""Of the names each place gets every so manieth, beginning elsewhere each time."""

CONTROLS = ["%00", "a%00b", "%0a", "a%2F%0d%0aX:y", "%1b[31m", "%7f"]


@pytest.fixture
def echo(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """The server, with routes that say which they are and what they were given."""

    async def show(scope: Scope, receive: Receive, send: Send) -> None:
        shown = {"route": scope["route"].path, "names": scope["path_params"]}
        await JSONResponse(shown)(scope, receive, send)

    for route in app.routes:
        monkeypatch.setattr(route, "app", show)
    return app


def list_cases(app: FastAPI) -> Iterator[tuple[str, str, dict[str, str]]]:
    """A method, a route's path and names for it: of every route with names in its path, one name at a time."""
    turn = count()
    for route in app.routes:
        assert isinstance(route, Route)
        for field in route.param_convertors:
            for name in NAMES[next(turn) % EVERY :: EVERY]:
                names = dict.fromkeys(route.param_convertors, "x") | {field: name}
                yield min(route.methods or ()), route.path, names


def write(path: str, names: dict[str, str]) -> str:
    # Dots too, which SDKs leave: a client library resolves a name of dots alone before it sends it.
    return path.format(
        **{field: quote(name, safe="").replace(".", "%2E") for field, name in names.items()}
    )


async def test_every_name_reaches_its_route_whole(echo: FastAPI) -> None:
    """Over a socket and in process; what names it is, is decoded once."""
    cases = 0
    transport = httpx.ASGITransport(echo)
    async with (
        listen(echo) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as remote,
        httpx.AsyncClient(transport=transport, base_url="http://spectron.test") as local,
    ):
        for method, path, names in list_cases(echo):
            target = write(path, names)
            for client in (local, remote) if cases % 7 == 0 else (local,):
                response = await client.request(method, target)
                assert response.json() == {"route": path, "names": names}, target
            cases += 1
    assert cases > 60 * (len(NAMES) // EVERY)


@pytest.mark.parametrize("control", CONTROLS)
async def test_a_control_character_belongs_to_no_name(
    operator: httpx.AsyncClient, control: str
) -> None:
    for path in (f"/api/v1/contexts{control}", f"/api/v1/contexts/{control}", f"/ready{control}"):
        response = await operator.get(path)
        assert response.status_code == 400, path
        assert "control character" in response.json()["detail"]


async def test_an_encoded_slash_is_never_one_that_divides_the_path(
    operator: httpx.AsyncClient, acme: str
) -> None:
    for path in (
        f"contexts/{acme}%2Fkeys",
        f"contexts/{acme}%2fkeys",
        f"contexts/{acme}%2f..%2f{acme}",
        f"contexts%2F{acme}",
        f"contexts/x%2F..%2F{acme}",
        f"contexts/{acme}%252Fkeys",
        f"contexts/{acme}%5Ckeys",
    ):
        response = await operator.get(f"/api/v1/{path}")
        assert response.status_code == 404, path
        assert response.json()["instance"].lower() == f"/api/v1/{path}".lower()
    # An unknown context is 401 on the data plane, however it is spelled.
    for path in (f"{acme}%2Fme/me", f"contexts%2F{acme}/me", f"x%2F..%2F{acme}/me"):
        assert (await operator.get(f"/api/v1/{path}")).status_code == 401
    assert (await operator.get(f"/api/v1/{acme}%2Fme")).status_code == 404
