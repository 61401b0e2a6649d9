"""
One variable of a dotenv file, and every other byte left as it is; its line is one that a shell can source.

What a binding is, python-dotenv's parser says: a quoted value may span lines, and hold what looks like other bindings.
"""

from __future__ import annotations

import re
from io import StringIO

from dotenv.parser import Binding, parse_stream

_BOM = "\ufeff"
# Without `~`, which a shell expands behind the = of an assignment and behind each colon of its value.
_BARE = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
_NEWLINE = re.compile(r"\r\n|\n|\r")
_BLANK = re.compile(r"\s*")
_SHELL_BLANK = re.compile(r"[ \t]+")
_LINE = re.compile(
    r"""
    (?P<lead> \s* (?:export[^\S\r\n]+)? )
    (?:'[^']+' | [^=\#\s]+)
    (?:[^\S\r\n]*=)?
    (?: [^\S\r\n]* (?: '(?:\\'|[^'])*' | "(?:\\"|[^"])*" ) | (?:(?![^\S\r\n]\#)[^\r\n])* )
    (?P<blank> [^\S\r\n]* ) (?P<comment> (?:\#[^\r\n]*)? )
    (?P<end> (?:\r\n|\n|\r)? )
    """,
    re.VERBOSE,
)
"""A binding, with the blank lines before it, as the parser has it. An unquoted value ends before a blank and #."""


def get_variable(content: bytes, name: str) -> str | None:
    """The variable's value as a reader of the file gets it; None for none, or an empty one."""
    # The last one, as for python-dotenv and for a shell that sources the file.
    values = [binding.value for binding in _parse(_decode(content)) if binding.key == name]
    return (values[-1] or None) if values else None


def set_variable(content: bytes, name: str, value: str) -> bytes:
    """The content with the variable set; ValueError where it cannot be told which bytes to change."""
    text = _decode(content)
    bindings = _parse(text)
    _check(bindings, name)
    _check_before(bindings, name)
    parts = [
        _rewrite(binding, value) if binding.key == name else binding.original.string
        for binding in bindings
    ]
    if not any(binding.key == name for binding in bindings):
        parts.append(_make_line(text, name, value))
    # The parser takes the mark off, so it is in none of the bindings.
    whole = "".join([_BOM if text.startswith(_BOM) else "", *parts])
    return whole.encode(errors="surrogateescape")


def _decode(content: bytes) -> str:
    # Bytes that are no UTF-8 come back as they were.
    return content.decode(errors="surrogateescape")


def _parse(text: str) -> list[Binding]:
    return list(parse_stream(StringIO(text)))


def _check(bindings: list[Binding], name: str) -> None:
    for binding in bindings:
        if binding.error:
            raise ValueError(f"line {_find_line(binding)} is not a line of a dotenv file")
    lines = [str(_find_line(binding)) for binding in bindings if binding.key == name]
    # Readers take the last of them, people see the first: no choice between the two is safe.
    if len(lines) > 1:
        raise ValueError(f"{name} is set more than once, on lines {' and '.join(lines)}")


def _check_before(bindings: list[Binding], name: str) -> None:
    """ValueError where a shell would read our line as more of the one before it."""
    names = [binding.key for binding in bindings]
    at = names.index(name) if name in names else len(bindings)
    last = bindings[at - 1].original.string.rstrip("\r\n") if at else ""
    backslashes = len(last) - len(last.rstrip("\\"))
    # A comment ends with its line, whatever stands there.
    if backslashes % 2 and "#" not in last:
        line = _find_line(bindings[at - 1])
        raise ValueError(f"line {line} ends in a backslash, so a shell reads the next one with it")


def _find_line(binding: Binding) -> int:
    # The parser counts the blank lines before a binding as its own.
    blank = _BLANK.match(binding.original.string)
    return binding.original.line + (len(_NEWLINE.findall(blank[0])) if blank else 0)


def _rewrite(binding: Binding, value: str) -> str:
    line = _LINE.fullmatch(binding.original.string)
    assert line, "the parser takes other lines"
    # A blank beside the = is a word's end to a shell: it would run the secret as a command. Before the # there must be
    # one, or the shell takes the comment for more of the secret; and no other space than these two is one to a shell.
    blank = line["blank"] if _SHELL_BLANK.fullmatch(line["blank"]) else " "
    comment = blank + line["comment"] if line["comment"] else ""
    return f"{line['lead']}{binding.key}={_quote(value)}{comment}{line['end']}"


def _make_line(text: str, name: str, value: str) -> str:
    """A line to append, ended as the others are."""
    found = _NEWLINE.search(text)
    newline = found[0] if found else "\n"
    # A file that an editor left without a line end at its end: the new line must not go on from the last value.
    gap = "" if text in {"", _BOM} or _NEWLINE.match(text[-1]) else newline
    return f"{gap}{name}={_quote(value)}{newline}"


def _quote(value: str) -> str:
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
