"""Transcripts as one page that needs nothing else: no script, no font, no picture, no network."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html import escape as escape_html
from typing import Any

from spectronctl.ground.vocabulary import ROLES
from spectronctl.output.cells import format_value
from spectronctl.output.differences import flatten
from spectronctl.output.transcripts._format import (
    Format,
    Session,
    Turn,
    find_moment,
    format_moment,
    spell_controls,
)

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fff; --faint: #5c6370; --shade: #f3f4f6;
  --user: #0b63b5; --assistant: #1a7f45; --system: #8a5a00; --tool: #8a3ba8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6e9; --paper: #16181b; --faint: #9aa3af; --shade: #23262b;
    --user: #6cb6ff; --assistant: #6bd38f; --system: #e0b050; --tool: #d79af0; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { max-width: 46rem; margin: 0 auto; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.35rem; line-height: 1.3; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem 1rem;
  font-size: .875rem; }
dt, time, .place { color: var(--faint); }
dd { margin: 0; }
.turn { margin: 1.25rem 0; padding-inline-start: .8rem; border-inline-start: .25rem solid var(--faint); }
.turn:target { background: var(--shade); }
.turn header { display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline;
  font-size: .875rem; break-after: avoid; }
h2 { margin: 0; font-size: 1rem; }
.user { border-color: var(--user); } .user h2 { color: var(--user); }
.assistant { border-color: var(--assistant); } .assistant h2 { color: var(--assistant); }
.system { border-color: var(--system); } .system h2 { color: var(--system); }
.tool { border-color: var(--tool); } .tool h2 { color: var(--tool); }
p { margin: .4rem 0; white-space: pre-wrap; unicode-bidi: plaintext; }
pre { margin: .4rem 0; padding: .6rem .8rem; overflow-x: auto; background: var(--shade); border-radius: .3rem;
  font: .875rem/1.45 ui-monospace, monospace; overflow-wrap: normal; tab-size: 4; }
code { font: inherit; }
@media print {
  :root { color-scheme: light; --ink: #000; --paper: #fff; --faint: #444; --shade: #f3f4f6;
    --user: #0b63b5; --assistant: #1a7f45; --system: #8a5a00; --tool: #8a3ba8; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--faint); }
  p { orphans: 3; widows: 3; }
}
"""

_TAIL = "</main>\n</body>\n</html>\n"

_FENCE = re.compile(r"[ \t]*(`{3,}(?=[^`]*$)|~{3,})")


def make_page() -> Format:
    """HTML that shows every turn as text, code between fences as code."""
    return Format(write_head=_format_head, write_turn=_format_turn, tail=_TAIL)


def _format_head(session: Session) -> str:
    title = _show(f"Session {session['id']}")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_state_policy()}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{title}</h1>\n{_format_facts(session)}<main>\n"
    )


@cache
def _state_policy() -> str:
    """Nothing may be loaded or run: only the one sheet of styles applies, known by its digest."""
    # Of exactly what stands between `<style>` and `</style>`: one more line end there, and the page has no style.
    digest = b64encode(sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _format_facts(session: Session) -> str:
    facts: dict[str, Any] = flatten({k: v for k, v in session.items() if k != "id"})
    rows = [
        # The page is English, and what people said need not be: an empty `lang` stops a screen reader from reading it
        # so.
        f'<dt>{_show(name)}</dt><dd lang="" dir="auto">{_show(format_value(value))}</dd>\n'
        for name, value in facts.items()
        if value is not None
    ]
    return f"<dl>\n{''.join(rows)}</dl>\n" if rows else ""


def _format_turn(turn: Turn) -> str:
    seq, role = int(turn["seq"]), turn["role"]
    # The server's word becomes a class only where it is one of the known.
    kind = f"turn {role}" if role in ROLES else "turn"
    return (
        f'<article class="{kind}" id="turn-{seq}">\n<header><h2>{_show(role)}</h2> {_format_time(turn)}'
        f'<a class="place" href="#turn-{seq}">#{seq}</a></header>\n'
        f'<div lang="">\n{"".join(_format_content(turn["content"]))}</div>\n</article>\n'
    )


def _format_time(turn: Turn) -> str:
    moment = find_moment(turn)
    if moment is None:
        return ""
    return f'<time datetime="{format_moment(turn)}">{moment:%Y-%m-%d %H:%M:%S} UTC</time> '


def _format_content(content: str) -> Iterator[str]:
    for code, lines in _split(spell_controls(content).split("\n")):
        text = escape_html("\n".join(lines))
        if code:
            yield f'<pre dir="ltr"><code>{text}\n</code></pre>\n'
        elif text.strip():
            yield f'<p dir="auto">{text}</p>\n'


def _split(lines: list[str]) -> Iterator[tuple[bool, list[str]]]:
    """The lines between fences, and those around; a fence that nothing closes holds all that follows."""
    held: list[str] = []
    closing: re.Pattern[str] | None = None
    for line in lines:
        opening = _FENCE.match(line)
        if closing is not None and closing.fullmatch(line):
            yield True, held
            held, closing = [], None
        elif closing is None and opening is not None:
            yield False, held
            held, closing = [], _close(opening[1])
        else:
            held.append(line)
    yield closing is not None, held


def _close(fence: str) -> re.Pattern[str]:
    return re.compile(rf"[ \t]*{fence[0]}{{{len(fence)},}}[ \t]*")


def _show(text: str) -> str:
    return escape_html(spell_controls(text))
