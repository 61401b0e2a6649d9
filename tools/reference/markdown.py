"""The reference as one page of Markdown, as GitHub reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tools.reference.pages import Child, Entry, Page
from tools.reference.shared import (
    VARIABLES,
    Setting,
    parse_settings,
    read_endings,
    read_files,
)
from tools.reference.text import Paragraph, split_typed

_OPENING = """\
# Commands

Every command of `spectronctl`, its arguments and its options. This page is written by `make generate` from the
commands themselves; `make man` writes the same as man pages.

[Global options](#global-options) go with every command, at any position. An option that says *repeatable* may be given
more than once. The singular of a group is the same group: `spectronctl context list`.
"""

_Row = Sequence[str]


def format_reference(pages: list[Page]) -> str:
    """All commands, then what holds for each of them."""
    commands = [page for page in pages if page.path]
    parts = [
        _OPENING,
        _format_contents(commands),
        *map(_format_page, commands),
        _format_settings(parse_settings(pages)),
        _format_variables(),
        _format_files(),
        _format_endings(),
    ]
    return "\n".join(parts)


def _format_contents(pages: Iterable[Page]) -> str:
    lines = [
        f"{'  ' * (len(page.path) - 1)}- [`{' '.join(page.path)}`](#{page.slug}): {format_text(page.summary)}"
        for page in pages
    ]
    shared = ("Global options", "Environment", "Files", "Exit codes")
    lines += [f"- [{title}](#{title.lower().replace(' ', '-')})" for title in shared]
    return _join(lines)


def _format_page(page: Page) -> str:
    parts = [
        f"{'#' * min(len(page.path) + 1, 4)} {page.name}\n",
        f"```text\n{page.synopsis}\n```\n",
        *map(_format_paragraph, page.description),
        format_table(("Command", "Also", "Meaning"), map(_format_child, page.children)),
        format_table(
            ("Argument", "Values", "Required", "Meaning"), map(_format_argument, page.arguments)
        ),
        format_table(("Option", "Value", "Default", "Meaning"), map(_format_option, page.options)),
    ]
    return "\n".join(part for part in parts if part)


def _format_paragraph(paragraph: Paragraph) -> str:
    if paragraph.keeps_lines:
        return f"```text\n{paragraph.text}\n```\n"
    return f"{_guard_opening(format_text(paragraph.text))}\n"


def _format_child(child: Child) -> _Row:
    return _code(child.word), _codes(child.aliases), format_text(child.meaning)


def _format_argument(entry: Entry) -> _Row:
    need = "yes" if entry.required else ""
    return _codes(entry.names), _codes(entry.choices), need, _format_meaning(entry)


def _format_option(entry: Entry) -> _Row:
    default = "required" if entry.required else _codes(filter(None, [entry.default]))
    return _codes(entry.names), _format_value(entry), default, _format_meaning(entry)


def _format_value(entry: Entry) -> str:
    values = _codes(entry.choices or filter(None, [entry.value]))
    return f"{values}, {entry.limits}" if entry.limits else values


def _format_meaning(entry: Entry) -> str:
    meaning = format_text(entry.meaning)
    return f"{meaning} *Repeatable.*" if entry.many else meaning


def _format_settings(settings: Sequence[Setting]) -> str:
    typed = ("Option", "Value", "Default", "Environment", "Profile field", "Meaning")
    silent = ("Profile field", "Environment", "Default", "Meaning")
    parts = [
        "## Global options\n",
        "A flag wins over the environment, the environment over the profile, the profile over the default.\n",
        format_table(typed, (_format_setting(each, each.entry) for each in settings if each.entry)),
        "No global option says these:\n",
        format_table(silent, (_format_silent(each) for each in settings if not each.entry)),
    ]
    return "\n".join(parts)


def _format_setting(setting: Setting, entry: Entry) -> _Row:
    return (
        _codes(entry.names),
        _format_value(entry),
        _codes(filter(None, [setting.default])),
        _codes(setting.env),
        _codes(setting.fields),
        format_text(setting.meaning),
    )


def _format_silent(setting: Setting) -> _Row:
    default = _codes(filter(None, [setting.default]))
    return _codes(setting.fields), _codes(setting.env), default, format_text(setting.meaning)


def _format_variables() -> str:
    rows = [(_codes(names), format_text(meaning)) for names, meaning in VARIABLES.items()]
    return "## Environment\n\nBeside those of the options:\n\n" + format_table(
        ("Variable", "Meaning"), rows
    )


def _format_files() -> str:
    rows = [(_code(path), format_text(meaning)) for path, meaning in read_files().items()]
    return "## Files\n\n" + format_table(("File", "Meaning"), rows)


def _format_endings() -> str:
    rows = [
        (str(ending.code), _codes(ending.kinds), format_text(ending.meaning))
        for ending in read_endings()
    ]
    opening = "The kind stands in the error object of `-o json`.\n\n"
    return f"## Exit codes\n\n{opening}{format_table(('Code', 'Kind', 'Meaning'), rows)}"


def format_table(head: _Row, rows: Iterable[_Row]) -> str:
    """A table without the columns that nothing stands in; nothing at all without rows."""
    rows = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    kept = [index for index in range(len(head)) if any(row[index] for row in rows)]
    if not rows:
        return ""
    lines = [[head[index] for index in kept], ["---"] * len(kept)]
    lines += [[row[index] for index in kept] for row in rows]
    return _join("| " + " | ".join(line) + " |" for line in lines)


def _join(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _codes(words: Iterable[str]) -> str:
    return ", ".join(map(_code, words))


def _code(text: str) -> str:
    """A code span; its fence is longer than any back quotes in it."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def format_text(text: str) -> str:
    """A sentence that reads as it is: what is typed as code, nothing else taken for markup."""
    return "".join(
        _code(span.text) if span.is_typed else _escape(span.text) for span in split_typed(text)
    )


def _escape(text: str) -> str:
    """A backslash before what could be markup, and not before an underscore inside a word, which is none."""
    return re.sub(r"[\\`*<>\[\]$~&!]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)


def _guard_opening(text: str) -> str:
    """A paragraph stays one, although it begins like a list, a heading or a quotation."""
    return re.sub(r"^(\d+)?([-+#=.)])", r"\1\\\2", text)
