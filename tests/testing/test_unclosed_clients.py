"""
Programs that use the clients as the product's documentation does: without a block, and without closing them.

Each is a process of its own in which every warning is an error, so that a connection that is left over shows.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from spectronctl.testing import SpectronServer, run_server

EXAMPLE = """\
from spectronctl import SpectronManagement

admin = SpectronManagement(
    base_url="https://spectron.example.com",
    api_key=os.environ["SPECTRON_MGMT_KEY"],
)

await admin.contexts.create(
    id="acme-prod",
    namespace="acme",
    database="prod",
    config={
        "token_limit": 1_000_000,
        "models": {
            "extraction": "openai/gpt-4o-mini",
            "response": "openai/gpt-4o",
        },
        "providers": {
            "openai": os.environ["OPENAI_API_KEY"],
        },
    },
)
"""
"""What the product's documentation shows, with the import changed."""

IN_A_LOOP = f"""\
import ast, asyncio, os, types

code = compile({EXAMPLE!r}.replace("https://spectron.example.com", URL), "example", "exec",
               flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
scope = {{"os": os}}
asyncio.run(types.FunctionType(code, scope)())
"""

PROGRAMS = {
    "two loops, one client": """
        import asyncio
        from spectronctl import SpectronManagement

        admin = SpectronManagement(URL, KEY)

        async def use():
            await admin.health()
            return [context.id async for context in admin.contexts.list()]

        asyncio.run(use())
        asyncio.run(use())
    """,
    "a loop that is closed at once": """
        import asyncio
        from spectronctl import SpectronManagement

        loop = asyncio.new_event_loop()
        loop.run_until_complete(SpectronManagement(URL, KEY).migrations())
        loop.close()
    """,
    "a list that is not read to its end": """
        import asyncio
        from spectronctl import SpectronManagement

        async def use():
            admin = SpectronManagement(URL, KEY)
            async for context in admin.contexts.list():
                break

        asyncio.run(use())
    """,
    "calls side by side, one of which fails": """
        import asyncio
        from spectronctl import NotFoundError, SpectronManagement

        async def use():
            admin = SpectronManagement(URL, KEY)
            found = await asyncio.gather(
                *(admin.health() for _ in range(5)), admin.contexts.get("none"), return_exceptions=True
            )
            assert isinstance(found[-1], NotFoundError), found

        asyncio.run(use())
    """,
    "a call that is cancelled": """
        import asyncio
        from spectronctl import SpectronManagement

        async def use():
            call = asyncio.ensure_future(SpectronManagement(URL, KEY).migrations())
            await asyncio.sleep(0.002)
            call.cancel()
            await asyncio.wait([call])

        asyncio.run(use())
    """,
    "a block": """
        import asyncio
        from spectronctl import SpectronManagement

        async def use():
            async with SpectronManagement(URL, KEY) as admin:
                await admin.health()
                await admin.contexts.get("kept")

        asyncio.run(use())
    """,
    "the synchronous client": """
        from spectronctl import SyncSpectronManagement

        admin = SyncSpectronManagement(URL, KEY)
        admin.health()
        assert admin.contexts.get("kept").id == "kept"
    """,
}


@pytest.fixture(scope="module")
def running() -> Iterator[SpectronServer]:
    with run_server() as server:
        server.create_context("kept")
        yield server


def run_program(program: str, server: SpectronServer) -> None:
    given = f"URL, KEY = {server.url!r}, {server.management_key!r}\n"
    environment = {"SPECTRON_MGMT_KEY": server.management_key, "OPENAI_API_KEY": "sk-1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", given + textwrap.dedent(program)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_documented_example_runs_as_it_stands(running: SpectronServer) -> None:
    run_program(IN_A_LOOP, running)
    context = running.admin.contexts.get("acme-prod")
    assert (context.namespace, context.database) == ("acme", "prod")
    assert context.config["providers_configured"] == ["openai"]


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_client_need_not_be_closed(program: str, running: SpectronServer) -> None:
    run_program(program, running)
