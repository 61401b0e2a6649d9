"""Help texts as paragraphs, and what in them is typed as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from spectronctl.config.profiles import LOCAL
from spectronctl.ground.vocabulary import OUTPUT_FORMATS

KEEP_LINES = "\b"
"""How a paragraph of help begins that must not be wrapped."""

_VALUES = "|".join([*OUTPUT_FORMATS, LOCAL])

_TYPED = re.compile(
    r"`(?P<marked>[^`]+)`"
    r"|(?<!\w)'(?P<quoted>[^']+)'(?!\w)"
    rf"|(?<![\w-])(?P<option>(?:--[a-z][\w-]*|-[a-zA-Z](?![\w-]))(?: (?:{_VALUES})\b)?)"
)


@dataclass(frozen=True)
class Span:
    """A piece of a sentence; `is_typed` is a command, an option or a value, letter for letter."""

    text: str
    is_typed: bool = False


@dataclass(frozen=True)
class Paragraph:
    """Some sentences, or lines that stay as they are."""

    text: str
    keeps_lines: bool = False


def split_typed(text: str) -> Iterator[Span]:
    """The pieces of a help text: in back quotes, in single quotes, or spelt like an option is what one types."""
    end = 0
    for found in _TYPED.finditer(text):
        if found.start() > end:
            yield Span(text[end : found.start()])
        yield Span(found["marked"] or found["quoted"] or found["option"], is_typed=True)
        end = found.end()
    if text[end:]:
        yield Span(text[end:])


def parse_paragraphs(description: str) -> tuple[Paragraph, ...]:
    """The paragraphs of a command's help, each on one line unless it keeps its own."""
    return tuple(map(_parse_paragraph, re.split(r"\n[ \t]*\n", description.strip())))


def _parse_paragraph(text: str) -> Paragraph:
    head, _, rest = text.strip("\n").partition("\n")
    if head.strip(" ") == KEEP_LINES:
        return Paragraph(rest, keeps_lines=True)
    return Paragraph(" ".join(text.split()))


def end_sentence(text: str) -> str:
    """The text with a full stop, if nothing ends it yet."""
    return text if text.endswith((".", "!", "?")) or not text else f"{text}."
