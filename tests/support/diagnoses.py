"""What `doctor` found, read from its document."""

from __future__ import annotations

from typing import Any

from tests.support.commandline import Result


def find(result: Result, name: str) -> dict[str, Any]:
    (row,) = (check for check in result.json["checks"] if check["check"] == name)
    return row  # type: ignore[no-any-return]


def first_failure(result: Result) -> dict[str, Any]:
    row: dict[str, Any] = next(c for c in result.json["checks"] if c["status"] == "failed")
    assert (row["exit_code"], row["detail"]) == (result.code, result.error["message"])
    return row


def statuses(result: Result) -> dict[str, str]:
    return {check["check"]: check["status"] for check in result.json["checks"]}
