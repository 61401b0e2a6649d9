from __future__ import annotations

import argparse
from pathlib import Path

from spectronctl.cli._tree import walk
from spectronctl.cli.app import tree
from tools.reference.markdown import format_reference
from tools.reference.pages import read_pages
from tools.reference.python import format_clients
from tools.reference.roff import write_page


def main() -> None:
    """Write the form that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.reference")
    parser.add_argument("form", choices=("markdown", "man", "python"))
    parser.add_argument("path", type=Path)
    options = parser.parse_args()
    if options.form == "python":
        _write(options.path, format_clients())
        return
    pages = read_pages(walk(tree()))
    if options.form == "markdown":
        _write(options.path, format_reference(pages))
        return
    for page in pages:
        _write(options.path / f"{page.slug}.1", write_page(page, pages))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
