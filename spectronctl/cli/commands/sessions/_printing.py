"""One transcript on stdout: whole, or as it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from spectronctl.cli._reporting import format_command
from spectronctl.cli.commands.sessions._view import TRANSCRIPT
from spectronctl.errors import RequestError, UsageError, WaitTimeoutError
from spectronctl.output.transcripts import format_transcript

if TYPE_CHECKING:
    from spectronctl.cli.commands.sessions._format import Format
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.sessions import Turn
    from spectronctl.operations.exports import Source


def check_shaping(rt: Runtime, format: Format | None, *, follow: bool) -> None:
    """UsageError for global options that a transcript cannot follow."""
    given = rt.settings
    for setting, option in ((given.columns, "--columns"), (given.sort, "--sort")):
        if setting.value is not None:
            raise UsageError(f"{option} shapes tables, and a transcript is none")
    if given.query.value is not None and (follow or format is not None):
        other = "--follow" if follow else "--format"
        raise UsageError(
            f"--query runs over the whole transcript as JSON, and {other} does not fit that",
            hint=f"For instance: -o json --query 'turns[].content', without {other}.",
        )
    rt.out.check(TRANSCRIPT)


def print_transcript(rt: Runtime, source: Source, format: str) -> None:
    """Print all of it, once all is there."""
    session = source.describe()
    turns = _limit(rt, chain.from_iterable(source.read()))
    if rt.settings.query.value is not None:
        rt.out.show({"session": session, "turns": list(turns)}, TRANSCRIPT)
        return
    rt.out.text(_write(rt, format, session, turns), format=format)


def follow_transcript(rt: Runtime, source: Source, format: str) -> None:
    """Print it, and new turns as they come, until the reader is gone or the user interrupts."""
    session = source.describe()
    batches = source.read(follow=rt.out.wait, on_failure=partial(tell_failure, rt))
    # Whether more would come cannot be known without waiting for it.
    turns = islice(chain.from_iterable(batches), rt.flags.get("limit"))
    last: list[Turn] = []
    try:
        rt.out.follow(_write(rt, format, session, _keep_last(turns, last)), format=format)
    except (RequestError, WaitTimeoutError) as exc:
        exc.command = exc.command or _find_command(rt, source, last)
        raise


def tell_failure(rt: Runtime, failure: RequestError) -> None:
    """Say that a follower waits for the server to come back."""
    rt.out.warn(f"no response, trying again: {failure.text}")


def _keep_last(turns: Iterable[Turn], last: list[Turn]) -> Iterator[Turn]:
    for turn in turns:
        # In a list of the caller's, which is still there when a failure has ended this generator.
        last[:] = [turn]
        yield turn


def _find_command(rt: Runtime, source: Source, last: list[Turn]) -> str:
    """What follows on from the last turn that was shown."""
    words = ["sessions", "transcript", source.session_id, "-c", source.context, "--follow"]
    words += [word for role in source.wanted.roles for word in ("--role", role)]
    if last:
        words += ["--from-seq", str(last[0]["seq"] + 1)]
    return format_command(rt, *words)


def _limit(rt: Runtime, turns: Iterator[Turn]) -> Iterator[Turn]:
    # Only a typed limit: one of the environment is for lists, and would make a transcript look whole that is not.
    limit: int | None = rt.flags.get("limit")
    yield from islice(turns, limit)
    # One turn more is read, since only that tells whether any was left out.
    if limit is not None and next(turns, None) is not None:
        rt.out.remark(f"There are more: --limit {limit} ended the transcript.")


def _write(
    rt: Runtime, format: str, session: dict[str, object], turns: Iterable[Turn]
) -> Iterator[str]:
    pieces = format_transcript(format, session, turns, terminal=rt.out.terminal)
    # The header is the first piece, and alone in it.
    if format == "csv" and rt.settings.no_header.value:
        next(pieces)
    return pieces
