"""
The server's log on stderr, as text or as JSON lines.

Neither headers nor query values nor the messages of exceptions are written: any of them may hold a secret.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

from spectronctl.ground.times import format_time

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


def configure_logs(
    log_format: LogFormat, stream: TextIO | None = None, *, level: LogLevel = "info"
) -> None:
    """Send the server's records from `level` on, and the warnings of the libraries under it, to stderr or `stream`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    for name, least in (
        ("spectronctl.server", level),
        ("uvicorn", max(level, "warning", key=_rank)),
    ):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(_rank(least))
        # Else the handlers of the root logger would write each record once more, with the messages that ours leaves
        # out.
        logger.propagate = False


def _rank(level: LogLevel) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def describe_exception(error: BaseException) -> str:
    """The kinds of an exception and of its causes, and where each was raised; never what they say."""
    lines = []
    cause: BaseException | None = error
    while cause is not None:
        frames = traceback.extract_tb(cause.__traceback__)
        # Without the line of source: it may hold a literal, and is found by its number.
        places = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        lines += [type(cause).__name__, *places]
        cause = cause.__cause__ or cause.__context__
    return "\n".join(lines)


class _SafeFormatter(logging.Formatter):
    def formatException(  # noqa: N802 - the name in the standard library
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        return describe_exception(ei[1]) if ei[1] else ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return format_time(datetime.fromtimestamp(record.created, UTC), "milliseconds")


class _TextFormatter(_SafeFormatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")


class _JsonFormatter(_SafeFormatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # All in ASCII: U+2028 and the like, which some readers take for the end of a line, are escapes.
        return json.dumps(line)
