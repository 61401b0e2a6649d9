"""Schema migrations as files: numbered, each with its checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Migration:
    """One file: `0001_name.surql`."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Migrations:
    """Those of the control plane, and those of each context's database."""

    metadata: tuple[Migration, ...]
    context: tuple[Migration, ...]


@cache
def load_migrations() -> Migrations:
    """The ones that this package ships."""
    root = files("spectronctl.server") / "migrations"
    read = [
        order_migrations((each.name, each.read_text("utf-8")) for each in (root / kind).iterdir())
        for kind in ("metadata", "context")
    ]
    return Migrations(*read)


def order_migrations(named: Iterable[tuple[str, str]]) -> tuple[Migration, ...]:
    """File names and texts as migrations, in order; `ValueError` unless they count 1, 2, 3, …"""
    found = []
    for file_name, text in sorted(named):
        stem, _, suffix = file_name.rpartition(".")
        number, _, name = stem.partition("_")
        if suffix == "surql":
            found.append(Migration(int(number), name, text))
    # Two branches that each add a next migration meet here, and not in a store that has had one of them.
    if [each.version for each in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations are not numbered 1, 2, 3, …: {[m.version for m in found]}")
    return tuple(found)
