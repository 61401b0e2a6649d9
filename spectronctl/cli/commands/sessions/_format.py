"""Which format a transcript has: what was asked for, or what `-o` or the file's name says."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime


class Format(StrEnum):
    """The formats of `spectronctl.output.transcripts`, without importing it for a `--help`."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


SUFFIXES = {
    Format.TEXT: ".txt",
    Format.MARKDOWN: ".md",
    Format.HTML: ".html",
    Format.JSON: ".json",
    Format.JSONL: ".jsonl",
    Format.CSV: ".csv",
}

ENDLESS = (Format.TEXT, Format.MARKDOWN, Format.JSONL, Format.CSV)
"""Formats that are whole after every turn."""

_BY_OUTPUT = {
    "table": Format.TEXT,
    "json": Format.JSON,
    "jsonl": Format.JSONL,
    "csv": Format.CSV,
}
_BY_SUFFIX = {suffix: name for name, suffix in SUFFIXES.items()}


def choose_for_stdout(rt: Runtime, wanted: Format | None) -> Format:
    """The format of a transcript on stdout; UsageError when `--format` and `-o` cannot be used together."""
    output = rt.settings.output
    meant = _BY_OUTPUT.get(output.value)
    if wanted is None:
        if meant is None:
            raise UsageError(
                f"a transcript has no output format {output.value}",
                hint=f"--format takes {', '.join(Format)}.",
            )
        return meant
    # Only where both were typed: a SPECTRONCTL_OUTPUT=json that is set for scripts contradicts no --format.
    if "output" in rt.flags and wanted is not meant:
        raise UsageError(f"--format {wanted} and -o {output.value} cannot be used together")
    return wanted


def choose_for_file(wanted: Format | None, path: Path | None = None) -> Format:
    """The format of a transcript in a file: `--format`, or what its name says; `-o` is about the result on stdout."""
    by_name = _BY_SUFFIX.get(path.suffix.lower()) if path else None
    return wanted or by_name or Format.TEXT


def check_endless(format: Format) -> None:
    """UsageError for a format that a transcript without an end cannot have."""
    if format not in ENDLESS:
        raise UsageError(
            f"--follow: a transcript in {format} is whole only at its end, which never comes",
            hint=f"Follow in {', '.join(ENDLESS)}.",
        )
