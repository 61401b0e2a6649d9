"""Several statements as one text, and which of their results counts."""

from __future__ import annotations

from typing import Any

_COMMIT = "COMMIT;"


def transaction(*statements: str) -> str:
    """The statements, carried out all or none; `get_result` knows where the result of the last of them is."""
    return f"BEGIN;{''.join(statements)}{_COMMIT}"


def get_result(text: str, results: list[Any]) -> Any:
    """
    What the last statement of `text` returned: an object, where several things are to be told apart by name.

    The engine returns a result for every statement, also for LET, IF, BEGIN and COMMIT: those are None. So what counts
    stands last, and the COMMIT behind it is passed over.
    """
    last = 2 if text.endswith(_COMMIT) else 1
    return results[len(results) - last]
