"""Man pages, one per command, in the macros of man(7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from spectronctl import __version__
from spectronctl.errors import FOUND
from tools.reference.pages import PROGRAM, Child, Entry, Page
from tools.reference.shared import (
    VARIABLES,
    Ending,
    Setting,
    parse_settings,
    read_endings,
    read_files,
)
from tools.reference.text import Paragraph, split_typed

SECTION = "1"

_KEEP_WORDS = ".nh\n.ad l"
"""No hyphens inside the names that people copy, and no wide gaps in their place."""

_ESCAPES = {
    "\\": r"\e",
    "-": r"\-",
    "'": r"\(aq",
    '"': r"\(dq",
    "`": r"\(ga",
    "^": r"\(ha",
    "~": r"\(ti",
    "\N{HORIZONTAL ELLIPSIS}": "...",
}


def write_page(page: Page, pages: list[Page]) -> str:
    """The page of one command; `pages` are all of them, for what they share and for those it names."""
    sections = {
        "NAME": [f"{_escape(page.slug)} \\- {_escape(page.summary)}"],
        "SYNOPSIS": [_write_synopsis(page.synopsis)],
        "DESCRIPTION": _write_description(page),
        "COMMANDS": _flatten(_format_child(page, child) for child in page.children),
        "ARGUMENTS": _flatten(map(_write_entry, page.arguments)),
        "OPTIONS": _flatten(map(_write_entry, page.options)),
        "GLOBAL OPTIONS": _format_settings(page, parse_settings(pages)),
        "EXIT STATUS": _flatten(_write_ending(ending) for ending in _choose_endings(page)),
        "ENVIRONMENT": _write_environment(page, parse_settings(pages)),
        "FILES": _format_files(page),
        "SEE ALSO": _write_references(page),
    }
    lines = [_format_title(page)]
    for title, body in sections.items():
        if body:
            lines += [f".SH {_quote(title)}", *body]
    return "\n".join(lines) + "\n"


def _format_title(page: Page) -> str:
    """Without a date: the same commands make the same page on every day."""
    source, manual = _quote(f"{PROGRAM} {__version__}"), _quote(f"{PROGRAM} manual")
    return f'.TH {_quote(page.slug.upper())} {SECTION} "" {source} {manual}\n{_KEEP_WORDS}'


def _write_synopsis(synopsis: str) -> str:
    """The words of the command in bold, capitals in italics."""
    words = (re.sub(r"[A-Z]{2,}", r"\\fI\g<0>\\fR", _escape(word)) for word in synopsis.split(" "))
    return " ".join(_bold(word) if re.match(r"[a-z]", word) else word for word in words)


def _write_description(page: Page) -> list[str]:
    parts = [_format_paragraph(paragraph) for paragraph in page.description]
    lines = [line for number, part in enumerate(parts) for line in ([".PP"] * bool(number) + part)]
    if page.path:
        return lines
    opening = f"Each command has a page of its own, such as {_reference((PROGRAM, 'contexts'))}."
    return [*lines, ".PP", opening]


def _format_paragraph(paragraph: Paragraph) -> list[str]:
    if not paragraph.keeps_lines:
        return [format_text(paragraph.text)]
    return [".nf", *(_guard(_escape(line)) for line in paragraph.text.split("\n")), ".fi"]


def _format_child(page: Page, child: Child) -> list[str]:
    also = f" Also {', '.join(map(_bold_text, child.aliases))}." if child.aliases else ""
    page_of_its_own = _reference((PROGRAM, *page.path, child.word))
    return _tag(page_of_its_own, format_text(child.meaning) + also)


def _write_entry(entry: Entry) -> list[str]:
    is_option = entry.names[-1].startswith("-")
    names = ", ".join(map(_bold_text if is_option else _italic_text, entry.names))
    value = f" {_italic_text(entry.value)}" if entry.value else ""
    return _tag(names + value, " ".join([format_text(entry.meaning), *_tell_more(entry)]))


def _tell_more(entry: Entry) -> Iterator[str]:
    if entry.choices and not entry.value:
        yield f"One of {', '.join(map(_bold_text, entry.choices))}."
    if entry.limits:
        yield f"{_italic_text(entry.value)} is {_escape(entry.limits)}."
    if entry.default:
        yield f"Default: {_bold_text(entry.default)}."
    if entry.required:
        yield "Required."
    if entry.many:
        yield "May be given more than once."


def _format_settings(page: Page, settings: list[Setting]) -> list[str]:
    if not page.path:
        return _flatten(_format_setting(setting) for setting in settings if setting.entry)
    names = ", ".join(_bold_text(setting.name) for setting in settings if setting.entry)
    return [f"{names}: see {_reference((PROGRAM,))}. They may stand at any position."]


def _format_setting(setting: Setting) -> list[str]:
    assert setting.entry
    tag, name, text = _write_entry(setting.entry)
    sources = [f"${variable}" for variable in setting.env]
    if setting.fields:
        sources.append(f"{' or '.join(setting.fields)} of the profile")
    if sources:
        text += f" Else {_escape(', '.join(sources))}."
    if setting.default:
        text += f" Default: {_bold_text(setting.default)}."
    return [tag, name, text]


def _choose_endings(page: Page) -> Iterator[Ending]:
    return (
        ending
        for ending in read_endings()
        if ending.code != FOUND or page.ends_with_found or not page.path
    )


def _write_ending(ending: Ending) -> list[str]:
    kinds = f" ({', '.join(ending.kinds)})" if ending.kinds else ""
    return _tag(_bold_text(str(ending.code)), format_text(ending.meaning) + _escape(kinds))


def _write_environment(page: Page, settings: list[Setting]) -> list[str]:
    if page.path:
        return [f"What stands in for a global option, and the rest: see {_reference((PROGRAM,))}."]
    twins = [
        _tag(
            ", ".join(map(_bold_text, setting.env)),
            f"As {_bold_text(setting.name)}." if setting.entry else format_text(setting.meaning),
        )
        for setting in settings
        if setting.env
    ]
    others = [
        _tag(", ".join(map(_bold_text, names)), format_text(text))
        for names, text in VARIABLES.items()
    ]
    return _flatten([*twins, *others])


def _format_files(page: Page) -> list[str]:
    if page.path:
        return []
    return _flatten(
        _tag(_italic_text(path), format_text(text)) for path, text in read_files().items()
    )


def _write_references(page: Page) -> list[str]:
    """The groups above a command, nearest first, and the commands of a group."""
    path = (PROGRAM, *page.path)
    above = [path[:end] for end in range(len(path) - 1, 0, -1)]
    below = [(*path, child.word) for child in page.children]
    return [", ".join(map(_reference, [*above, *below]))]


def _reference(words: Iterable[str]) -> str:
    return f"{_bold_text('-'.join(words))}({SECTION})"


def _tag(tag: str, text: str) -> list[str]:
    return [".TP", _guard(tag), text]


def _flatten(parts: Iterable[list[str]]) -> list[str]:
    return [line for part in parts for line in part]


def format_text(text: str) -> str:
    """A sentence as one line of input: what is typed in bold, nothing taken for a request."""
    spans = split_typed(text)
    return _guard("".join((_bold_text if s.is_typed else _escape)(s.text) for s in spans))


def _bold_text(text: str) -> str:
    return _bold(_escape(text))


def _italic_text(text: str) -> str:
    return f"\\fI{_escape(text)}\\fR"


def _bold(escaped: str) -> str:
    return f"\\fB{escaped}\\fR"


def _quote(text: str) -> str:
    return f'"{_escape(text)}"'


def _escape(text: str) -> str:
    return "".join(map(_escape_character, text))


def _escape_character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isascii() else f"\\[u{ord(character):04X}]"


def _guard(line: str) -> str:
    """A line that begins with a full stop is text, not a request."""
    return f"\\&{line}" if line.startswith(".") else line
