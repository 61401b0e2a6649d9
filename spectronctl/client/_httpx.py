"""
httpx without its command line.

Where click and rich are installed, as here, `import httpx` also imports its own command line, and with it click, rich
and pygments: a third of its time, for nothing. A None in `sys.modules` is Python's way to say that a module is absent,
and httpx provides for that.
"""

from __future__ import annotations

import sys
from importlib import import_module

if "httpx" not in sys.modules:
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    try:
        import_module("httpx")
    finally:
        del sys.modules["httpx._main"]

import httpx as httpx
