"""The reference as one page of Markdown, as GitHub reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tools.reference.pages import Child, Entry, Page
from tools.reference.shared import (
    VARIABLES,
    Setting,
    read_endings,
    read_files,
    read_settings,
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


def write_reference(pages: list[Page]) -> str:
    """All commands, then what holds for each of them."""
    commands = [page for page in pages if page.path]
    parts = [
        _OPENING,
        _write_contents(commands),
        *map(_write_page, commands),
        _write_settings(read_settings(pages)),
        _write_variables(),
        _write_files(),
        _write_endings(),
    ]
    return "\n".join(parts)


def _write_contents(pages: Iterable[Page]) -> str:
    lines = [
        f"{'  ' * (len(page.path) - 1)}- [`{' '.join(page.path)}`](#{page.slug}): {write_text(page.summary)}"
        for page in pages
    ]
    shared = ("Global options", "Environment", "Files", "Exit codes")
    lines += [f"- [{title}](#{title.lower().replace(' ', '-')})" for title in shared]
    return _join(lines)


def _write_page(page: Page) -> str:
    parts = [
        f"{'#' * min(len(page.path) + 1, 4)} {page.name}\n",
        f"```text\n{page.synopsis}\n```\n",
        *map(_write_paragraph, page.description),
        _write_table(("Command", "Also", "Meaning"), map(_write_child, page.children)),
        _write_table(
            ("Argument", "Values", "Required", "Meaning"), map(_write_argument, page.arguments)
        ),
        _write_table(("Option", "Value", "Default", "Meaning"), map(_write_option, page.options)),
    ]
    return "\n".join(part for part in parts if part)


def _write_paragraph(paragraph: Paragraph) -> str:
    if paragraph.keeps_lines:
        return f"```text\n{paragraph.text}\n```\n"
    return f"{_guard_opening(write_text(paragraph.text))}\n"


def _write_child(child: Child) -> _Row:
    return _code(child.word), _codes(child.aliases), write_text(child.meaning)


def _write_argument(entry: Entry) -> _Row:
    need = "yes" if entry.required else ""
    return _codes(entry.names), _codes(entry.choices), need, _tell_meaning(entry)


def _write_option(entry: Entry) -> _Row:
    default = "required" if entry.required else _codes(filter(None, [entry.default]))
    return _codes(entry.names), _tell_value(entry), default, _tell_meaning(entry)


def _tell_value(entry: Entry) -> str:
    values = _codes(entry.choices or filter(None, [entry.value]))
    return f"{values}, {entry.limits}" if entry.limits else values


def _tell_meaning(entry: Entry) -> str:
    meaning = write_text(entry.meaning)
    return f"{meaning} *Repeatable.*" if entry.many else meaning


def _write_settings(settings: Sequence[Setting]) -> str:
    typed = ("Option", "Value", "Default", "Environment", "Profile field", "Meaning")
    silent = ("Profile field", "Environment", "Default", "Meaning")
    parts = [
        "## Global options\n",
        "A flag wins over the environment, the environment over the profile, the profile over the default.\n",
        _write_table(typed, (_write_setting(each, each.entry) for each in settings if each.entry)),
        "No global option says these:\n",
        _write_table(silent, (_write_silent(each) for each in settings if not each.entry)),
    ]
    return "\n".join(parts)


def _write_setting(setting: Setting, entry: Entry) -> _Row:
    return (
        _codes(entry.names),
        _tell_value(entry),
        _codes(filter(None, [setting.default])),
        _codes(setting.env),
        _codes(setting.fields),
        write_text(setting.meaning),
    )


def _write_silent(setting: Setting) -> _Row:
    default = _codes(filter(None, [setting.default]))
    return _codes(setting.fields), _codes(setting.env), default, write_text(setting.meaning)


def _write_variables() -> str:
    rows = [(_codes(names), write_text(meaning)) for names, meaning in VARIABLES.items()]
    return "## Environment\n\nBeside those of the options:\n\n" + _write_table(
        ("Variable", "Meaning"), rows
    )


def _write_files() -> str:
    rows = [(_code(path), write_text(meaning)) for path, meaning in read_files().items()]
    return "## Files\n\n" + _write_table(("File", "Meaning"), rows)


def _write_endings() -> str:
    rows = [
        (str(ending.code), _codes(ending.kinds), write_text(ending.meaning))
        for ending in read_endings()
    ]
    opening = "The kind stands in the error object of `-o json`.\n\n"
    return f"## Exit codes\n\n{opening}{_write_table(('Code', 'Kind', 'Meaning'), rows)}"


def _write_table(head: _Row, rows: Iterable[_Row]) -> str:
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


def write_text(text: str) -> str:
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
