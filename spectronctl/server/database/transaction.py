"""Several statements as one text, and which of their results counts."""

from __future__ import annotations

import re
from typing import Any

_BEGIN = "BEGIN;"
_COMMIT = "COMMIT;"


def transaction(*statements: str) -> str:
    """The statements, carried out all or none; `get_result` knows where the result of the last of them is."""
    return f"{_BEGIN}{''.join(statements)}{_COMMIT}"


def place(use: str, text: str) -> str:
    """
    A statement or a transaction behind the `USE` that says where it runs, as one transaction.

    `USE` defines a namespace and a database that do not exist. In a transaction of its own it would bring a database
    back that was dropped a moment ago, even where the statement behind it then fails.
    """
    # One transaction, so that the definition is rolled back along with the statement that found nothing there.
    return transaction(use, strip_transaction(text), ";")


def strip_transaction(text: str) -> str:
    """The statements of a transaction, or the statement itself."""
    return text.removeprefix(_BEGIN).removesuffix(_COMMIT)


def get_placed_results(text: str, results: list[Any]) -> list[Any]:
    """The results that `text` has by itself, of those that it has at its place."""
    begun, _, *rest = results
    return [begun, *rest] if text.startswith(_BEGIN) else rest[:-1]


def is_reading(text: str) -> bool:
    """Whether the statements change nothing. All of them are constants of ours, with their keywords in capitals."""
    return _WRITES.search(text) is None


_WRITES = re.compile(r"\b(CREATE|INSERT|RELATE|UPSERT|UPDATE|DELETE|DEFINE|REMOVE|ALTER|REBUILD)\b")


def get_result(text: str, results: list[Any]) -> Any:
    """
    What the last statement of `text` returned: an object, where several things are to be told apart by name.

    The engine returns a result for every statement, also for LET, IF, BEGIN and COMMIT: those are None. So what counts
    stands last, and the COMMIT behind it is passed over.
    """
    last = 2 if text.endswith(_COMMIT) else 1
    return results[len(results) - last]
