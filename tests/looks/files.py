"""The files that keep what a person sees, and what makes each of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.looks import pages
from tests.looks.pages import draw_pages
from tests.looks.scenes import FAMILIES
from tests.looks.tables import draw_family

FOLDER = Path(__file__).parent

FILES: dict[str, Callable[[], str]] = {
    **{f"tables/{name}.txt": partial(draw_family, name) for name in FAMILIES},
    **{f"help/{name}.txt": partial(draw_pages, name) for name in pages.FAMILIES},
}
