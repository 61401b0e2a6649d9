"""Text that others wrote, made fit for one line, a terminal or a reader of lines."""

from __future__ import annotations

import re

# Controls, line separators, marks that turn the direction of a line, lone surrogates: what could
# move the cursor, forge a row or fail to encode.
_STEERING = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"

# What takes no place on a screen: two names that differ in it look the same, and a whole text hides in tags.
_UNSEEN = (
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
# Joiners and variation selectors belong to Persian, to the scripts of India and to emoji: they stay where both
# neighbours, or the one before, are of a script that may need them.
_JOINED = (
    "\u0300-\u034e\u0350-\u115e\u1161-\u17b3\u17b6-\u180a\u1810-\u1fff\u2100-\u2bff\u2e80-\u3163\u3165-\ud7ff"
    "\uf900-\ufdff\ufe20-\ufefe\U00010000-\U000dffff"
)
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_OUT_OF_PLACE = (
    f"(?<![{_JOINED}\ufe0e\ufe0f])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])"
    f"|(?<![{_JOINED}#*0-9\xa9\xae\u203c\u2049])[{_SELECTORS}]"
)
_ACTED_ON = re.compile(f"[\x00-\x1f{_STEERING}]")
_ON_ONE_LINE = re.compile(f"[\x00-\x1f{_STEERING}{_UNSEEN}]|{_OUT_OF_PLACE}")
_ON_A_SCREEN = re.compile(f"[\x00-\x08\x0b-\x1f{_STEERING}{_UNSEEN}]|{_OUT_OF_PLACE}")

# Legal inside a JSON string, but a terminal acts on some, line readers break at others, and lone
# surrogates have no UTF-8. All can be written as an escape, which means the same.
_BETTER_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def clean(text: str) -> str:
    """On one line, without the characters that steer a terminal or reorder what a person reads."""
    # split() first: it takes line ends and tabs for blanks, which would otherwise be dropped between two words.
    line = " ".join(text.split())
    return "".join(char for char in line if char.isprintable())


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them `…` where something was cut off."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def escape(text: str) -> str:
    """The text on one line, with what a terminal would act on or not show spelt out: `\\n`, `\\x1b`, `\\u202e`."""
    return _ON_ONE_LINE.sub(_spell_out, text)


def escape_steering(text: str) -> str:
    """The text on one line for a program: what would break the line or steer a terminal is spelt out, nothing else."""
    return _ACTED_ON.sub(_spell_out, text)


def escape_document(text: str, *, is_json: bool = False) -> str:
    """Lines for a screen, with what a terminal would act on or not show spelt out; JSON means the same as before."""
    if text.isascii() and text.isprintable():
        return text
    return _ON_A_SCREEN.sub(_spell_in_json if is_json else _spell_out, text)


def has_unprintable(name: str) -> bool:
    """Whether a name holds what cannot be printed, other than joiners in a script that is written with them."""
    return not re.sub(f"(?<=[{_JOINED}])[\u200c\u200d](?=[{_JOINED}])", "", name).isprintable()


def escape_in_json(text: str) -> str:
    """JSON that means the same, without characters that a terminal or a reader of lines acts on."""
    if text.isascii() and "\x7f" not in text:  # many times faster to tell than to search
        return text
    return _BETTER_ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


# `\u` has four digits: what is beyond U+FFFF is written as two surrogates, and a lone one as itself.
def _spell_in_json(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _spell_out(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
