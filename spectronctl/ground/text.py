"""Text that others wrote, made fit for one line, a terminal or a reader of lines."""

from __future__ import annotations

import re

# Controls, line separators, marks that turn the direction of a line, lone surrogates: what could
# move the cursor, forge a row or fail to encode.
_ACTED_ON = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

# Legal inside a JSON string, but a terminal acts on some, line readers break at others, and lone
# surrogates have no UTF-8. All can be written as an escape, which means the same.
_BETTER_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def clean(text: str) -> str:
    """On one line, without the characters that steer a terminal or reorder what a person reads."""
    line = " ".join(text.split())
    return "".join(char for char in line if char.isprintable())


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them `…` where something was cut off."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def escape(text: str) -> str:
    """The text on one line, with what a terminal would act on spelt out: `\\n`, `\\x1b`, `\\u202e`."""
    return _ACTED_ON.sub(_spell_out, text)


def escape_in_json(text: str) -> str:
    """JSON that means the same, without characters that a terminal or a reader of lines acts on."""
    if text.isascii() and "\x7f" not in text:  # many times faster to tell than to search
        return text
    return _BETTER_ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _spell_out(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
