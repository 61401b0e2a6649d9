"""
Pictures of the command line at work, for the guide: `python -m tools.pictures DIRECTORY`.

The real commands run against the real server in memory, at a terminal of 100 cells, and rich draws what they wrote. The
rows they meet have a chosen age, so that `4 months ago` is that on every day, and a picture the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from spectronctl.cli import main
from spectronctl.cli.runtime import Runtime
from spectronctl.client._asgi import AsgiTransport
from spectronctl.output.streams import Streams
from spectronctl.server.app import create_app, lifespan
from spectronctl.server.database.database import Database
from spectronctl.server.registry.bootstrap import ensure_management_key
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.keys import KeyTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow, KeyRow
from spectronctl.server.sessions.rows import SessionRow
from spectronctl.server.sessions.table import SessionTable

WIDTH = 100
CONTEXT = "acme-prod"
SESSION = "session:01JTG4Z3M8Q5W0X7K2RB6N9DVE"


@dataclass(frozen=True)
class Picture:
    """What stands over the window, and what is typed in it: commands, one a line unless a line goes on."""

    title: str
    typed: str

    @property
    def commands(self) -> list[str]:
        return re.split(r"(?<!\\)\n", self.typed.strip())


PICTURES = {
    "contexts.svg": Picture(
        "Every context of a server",
        """
spectronctl contexts list --columns id,database,token_limit,retention_days,providers,created_at
""",
    ),
    "rotation.svg": Picture(
        "A rotation, rehearsed",
        r"""
spectronctl keys list --columns name,principal,scope_floor,created_at,last_used_at
spectronctl keys rotate --older-than 90d --overlap 36h --secret-file '/run/agents/{name}.key' \
    --dry-run --columns name,method,successor,old_key_until,places
""",
    ),
    "transcript.svg": Picture(
        "What an agent said", f"spectronctl sessions transcript {SESSION} --tail 4"
    ),
}

_CONTEXTS = (
    (CONTEXT, "prod", 5_000_000, 365, ("anthropic", "openai"), 401),
    ("acme-staging", "staging", 500_000, 30, ("openai",), 218),
    ("globex-support", "support", 2_000_000, 180, ("openai",), 131),
    ("initech-research", "research", 1_000_000, 90, ("anthropic",), 47),
    ("sandbox", "sandbox", 100_000, 7, (), 2),
)
"""Id, database, tokens allowed, days kept, providers, days since it was made."""

_KEYS = (
    ("support-agent", "agent", {"org": "acme", "team": "support"}, 212, 1),
    ("billing-agent", "agent", {"org": "acme", "team": "billing"}, 131, 26),
    ("crawler", "agent", {"org": "acme", "source": "web"}, 34, 5),
    ("nightly-audit", "supervisor", {"org": "acme"}, 12, 9),
)
"""Name, principal, scope floor, days since it was made, hours since it was used."""

_TALK = (
    ("user", "Hello again."),
    ("user", "The export I asked for last week came without the Berlin office. Can you look?"),
    (
        "tool",
        '{"export": "q2-offices", "filter": "country != \'DE\'", "requested_by": "lena@acme.example"}',
    ),
    (
        "assistant",
        """Found it: the export left out Germany, as your travel report does.
I have started it again for all offices; that takes about ten minutes.""",
    ),
    ("user", "Thank you. Please remember that my exports are for all offices."),
)

_THEME = TerminalTheme(
    (13, 17, 23),
    (221, 228, 236),
    [
        (72, 79, 88),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (221, 228, 236),
    ],
)

# rich's own format asks a host on the web for a font; this one takes what the reader has.
_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
  white-space: pre;
}}
.{unique_id}-title {{
  font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
  font-size: 17px;
  font-weight: 600;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


class _Screen(io.TextIOWrapper):
    """A terminal in memory."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")

    def isatty(self) -> bool:
        return True

    def read_all(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


class _StockedServer(httpx.BaseTransport):
    """A server in memory that has been at work for more than a year; it outlives the commands, which close it."""

    def __init__(self) -> None:
        self.key = ""
        self._inner = AsgiTransport(self._open_app)
        self.handle_request(httpx.Request("GET", "http://spectron.test/api/v1/health"))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(request)

    def stop(self) -> None:
        self._inner.close()

    @asynccontextmanager
    async def _open_app(self) -> AsyncIterator[Any]:
        store = await open_store("mem://")
        try:
            self.key = await ensure_management_key(store) or ""
            await _stock(store)
            app = create_app(store)
            async with lifespan(app):
                yield app
        finally:
            await store.close()


async def _stock(store: Database) -> None:
    """Half a unit is added to each age, so that the time that passes until it is shown makes no difference."""
    now = datetime.now(UTC)
    for name, database, tokens, days, providers, age in _CONTEXTS:
        row = ContextRow(
            id=name,
            namespace=name.partition("-")[0],
            database=database,
            config={"token_limit": tokens, "retention_days": days},
            created_at=now - timedelta(days=age, hours=12),
        )
        await Provisioning(store).create_context(
            row, providers=dict.fromkeys(providers, "not-a-real-key")
        )
    for number, (name, principal, floor, age, unused) in enumerate(_KEYS):
        key = KeyRow(
            id=f"cak_01JTG4Z3M8Q5W0X7K2RB6N9DV{number}",
            context_id=CONTEXT,
            name=name,
            principal=principal,
            scope_floor=floor,
            digest=number.to_bytes(32),
            created_at=now - timedelta(days=age, hours=12),
            last_used_at=now - timedelta(hours=unused, minutes=30),
        )
        await KeyTable(store).create_key(key)
    context = await ContextTable(store).get_context(CONTEXT)
    assert context
    await SessionTable(store).create_session(
        context, SessionRow(id=SESSION, scopes=[]), receipt=None
    )


def make_pictures() -> dict[str, str]:
    """Each picture as SVG, by the name of its file."""
    server = _StockedServer()
    with tempfile.TemporaryDirectory() as home, _clock_of_utc():
        try:
            env = _make_environment(home, server.key)
            _talk(env, server)
            return {file: _draw(file, shown, env, server) for file, shown in PICTURES.items()}
        finally:
            server.stop()


@contextmanager
def _clock_of_utc() -> Iterator[None]:
    """A transcript tells the time of this machine's clock."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def _make_environment(home: str, key: str) -> dict[str, str]:
    return {
        "HOME": home,
        "COLUMNS": str(WIDTH),
        "TERM": "xterm-256color",
        "SPECTRON_URL": "http://spectron.test",
        "SPECTRON_MANAGEMENT_API_KEY": key,
        "SPECTRON_CONTEXT_ID": CONTEXT,
    }


def _talk(env: Mapping[str, str], server: _StockedServer) -> None:
    path = Path(env["HOME"]) / "talk.jsonl"
    moments = (f"2026-05-04T09:{12 + number}:40Z" for number in range(len(_TALK)))
    turns = (
        {"role": role, "content": content, "ts": moment}
        for (role, content), moment in zip(_TALK, moments, strict=True)
    )
    path.write_text("".join(json.dumps(turn) + "\n" for turn in turns))
    run_at_terminal(f"spectronctl sessions import {path} --session {SESSION}", env, server)


def run_at_terminal(line: str, env: Mapping[str, str], server: _StockedServer) -> str:
    """What one terminal shows of a command, stdout and stderr as they come; AssertionError when it fails."""
    screen, stdin = _Screen(), io.TextIOWrapper(io.BytesIO())
    runtime = Runtime(env=env, streams=Streams(stdin, screen, screen, env), transport=server)
    words = shlex.split(line.replace("\\\n", " "))
    with redirect_stdout(screen), redirect_stderr(screen):
        code = main(words[1:], runtime)
    assert code == 0, screen.read_all()
    return screen.read_all()


def _draw(file: str, picture: Picture, env: Mapping[str, str], server: _StockedServer) -> str:
    shown = [
        f"\x1b[1;32m$\x1b[0m {line}\n{run_at_terminal(line, env, server)}"
        for line in picture.commands
    ]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="standard")
    console.print(
        Text.from_ansi("\n".join(shown).rstrip("\n")), overflow="ignore", no_wrap=True, crop=False
    )
    svg = console.export_svg(
        title=picture.title,
        theme=_THEME,
        code_format=_FORMAT,
        unique_id=file.partition(".")[0],
    )
    return "".join(f"{line.strip()}\n" for line in svg.splitlines() if line.strip())


if __name__ == "__main__":
    for name, svg in make_pictures().items():
        (Path(sys.argv[1]) / name).write_text(svg, encoding="utf-8", newline="\n")
