"""
The API as a page for a browser, drawn here from the OpenAPI description.

The usual page fetches its program from a foreign host: it would be empty on a machine without the internet, and a
foreign program in a page where operators handle keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from spectronctl.server.access.gates import Open

router = APIRouter(include_in_schema=False, dependencies=[Open])

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font: 14px/1.4 ui-monospace, monospace } pre { overflow: auto; padding: .5rem }
details { border-top: 1px solid #8886; padding: .4rem 0 } summary { cursor: pointer }
summary b { display: inline-block; width: 5rem } :root { color-scheme: light dark }
"""
# No script at all: the descriptions are ours, but a page where keys are at hand does not have to rely on that.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@router.get("/docs")
async def show_documentation(request: Request) -> HTMLResponse:
    """Every operation, its parameters, body and responses."""
    page = "\n".join(_draw_page(request.app.openapi()))
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})


def _draw_page(api: dict[str, Any]) -> Iterator[str]:
    title = escape(f"{api['info']['title']} {api['info']['version']}")
    yield "<!doctype html><html lang='en'><meta charset='utf-8'>"
    yield f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>"
    yield f"<p>{escape(api['info']['description'])}</p>"
    yield "<p>For programs: <a href='openapi.json'>openapi.json</a></p>"
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            yield from _draw_operation(
                f"<b>{method.upper()}</b> <code>{escape(path)}</code>", operation
            )
    yield "<h2>Shapes</h2>"
    for name, schema in api["components"]["schemas"].items():
        yield f"<details id='{escape(name)}'><summary>{escape(name)}</summary>{_draw(schema)}</details>"


def _draw_operation(heading: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<details><summary>{heading} {escape(operation['description'])}</summary>"
    key = "a key" if operation.get("security") else "no key"
    yield f"<p>Needs {key}.</p>"
    for parameter in operation.get("parameters", []):
        text = f"{parameter['in']}: {parameter.get('description', '')}"
        yield f"<p><code>{escape(parameter['name'])}</code> {escape(text)}</p>"
    if body := operation.get("requestBody"):
        yield f"<p>Body</p>{_draw(body['content']['application/json']['schema'])}"
    for status, response in operation["responses"].items():
        shapes = [_draw(one["schema"]) for one in response.get("content", {}).values()]
        yield f"<p>{escape(status)} {escape(response['description'])}</p>{''.join(shapes)}"
    yield "</details>"


def _draw(schema: dict[str, Any]) -> str:
    if reference := schema.get("$ref"):
        name = escape(reference.rpartition("/")[2])
        return f"<p><a href='#{name}'>{name}</a></p>"
    return f"<pre>{escape(json.dumps(schema, indent=2))}</pre>"
