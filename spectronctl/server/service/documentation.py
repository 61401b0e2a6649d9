"""
The API in a browser: Swagger UI, to try it out, and ReDoc, to read it.

Both come from the package `fastapi-offline`, which ships them. The usual pages fetch their programs from another host:
they would be empty on a machine without the internet, and a foreign program in a page where operators handle keys.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from spectronctl import __version__
from spectronctl.server.access.gates import Open
from spectronctl.server.http.problems import not_implemented

router = APIRouter(include_in_schema=False, dependencies=[Open])

# ReDoc makes its style sheets while it runs, and Swagger UI has icons in its own.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "png": "image/png"}

_OURS, _THEIRS = ("spectronctl.server.service", "browser"), ("fastapi_offline", "static")
FILES = {"/docs": (_OURS, "docs.html"), "/redoc": (_OURS, "redoc.html")} | {
    f"/docs/{name}": (place, name)
    for place, name in (
        (_OURS, "docs.js"),
        (_OURS, "redoc.js"),
        (_OURS, "pages.css"),
        (_THEIRS, "swagger-ui-bundle.js"),
        (_THEIRS, "swagger-ui.css"),
        (_THEIRS, "redoc.standalone.js"),
        (_THEIRS, "favicon.png"),
    )
}
_FOREIGN_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
_LINKS = {
    "docs": "/docs",
    "redoc": "/redoc",
    "openapi": "/openapi.json",
    "health": "/api/v1/health",
    "ready": "/api/v1/ready",
}


@router.get("/")
async def show_start(request: Request) -> Response:
    """A browser is led to the documentation; a program is told where things are."""
    if "text/html" in request.headers.get("accept", ""):
        # Relative, since a proxy in front may serve all of this below a path of its own.
        return RedirectResponse("docs")
    return JSONResponse({"name": "Spectron", "version": __version__, "links": _LINKS})


async def show_file(request: Request) -> Response:
    """A page, or a file that one of them needs."""
    path = request.scope["route"].path
    try:
        content = _load(path)
    except ModuleNotFoundError as error:
        raise not_implemented(f"{path}: there is no {error.name}, of the extra `local`") from error
    return Response(content, media_type=_TYPES[FILES[path][1].rpartition(".")[2]], headers=_HEADERS)


@cache
def _load(path: str) -> bytes:
    (package, folder), name = FILES[path]
    # ReDoc's own logo is all that it would fetch from elsewhere: an empty picture in its place.
    return (files(package) / folder / name).read_bytes().replace(_FOREIGN_LOGO, b"data:,")


for _path in FILES:
    router.add_api_route(_path, show_file, methods=["GET"])
