"""
How a result looks and where it goes: formats, tables, prompts, secrets. The only home of rich.

`Output` resolves on first use: every `--help` imports this package for its streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spectronctl.output.output import Output as Output

__all__ = ["Output"]


# A module's own __getattr__ (PEP 562): the import statements of callers need not know of it.
def __getattr__(name: str) -> object:
    if name != "Output":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from spectronctl.output.output import Output

    return Output
