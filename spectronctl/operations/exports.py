"""Transcripts written to files, each of which can be resumed after any interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from spectronctl.client import Client
from spectronctl.errors import RequestError
from spectronctl.models.sessions import Turn
from spectronctl.operations.transcripts import ANYTHING, Said, find_session, read_turns


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is wanted of any session: `roles` is sorted, empty for all; `parallel` counts requests at a time."""

    tail: int | None
    from_seq: int | None
    roles: tuple[str, ...]
    parallel: int
    said: Said = ANYTHING

    def bind(self, client: Client, context: str, session_id: str) -> Source:
        """The same of one session."""
        return Source(client, context, session_id, self)


@dataclass(frozen=True)
class Source:
    """The wanted turns of one session."""

    client: Client
    context: str
    session_id: str
    wanted: Wanted

    @property
    def identity(self) -> dict[str, Any]:
        """What tells it from any other, in values that JSON has."""
        return {
            "context": self.context,
            "session": self.session_id,
            "roles": list(self.wanted.roles),
            "tail": self.wanted.tail,
            "from_seq": self.wanted.from_seq,
            "said": list(self.wanted.said.typed),
        }

    def describe(self) -> dict[str, Any]:
        """What the session says of itself: its id at least."""
        found = find_session(self.client, self.context, self.session_id)
        return found.to_dict() if found else {"id": self.session_id}

    def read(
        self,
        *,
        next_seq: int | None = None,
        follow: Callable[[float], object] | None = None,
        on_failure: Callable[[RequestError], object] | None = None,
    ) -> Iterator[list[Turn]]:
        """The turns in batches, from `next_seq` on where an earlier reading ended before it."""
        wanted = self.wanted
        return read_turns(
            self.client,
            self.context,
            self.session_id,
            # The file knows where it stopped. Without a `tail` then: the last N turns of now are not those of the
            # first run.
            from_seq=wanted.from_seq if next_seq is None else next_seq,
            tail=wanted.tail if next_seq is None else None,
            roles=wanted.roles,
            said=wanted.said,
            parallel=wanted.parallel,
            follow=follow,
            on_failure=on_failure,
        )


class TurnFile(Protocol):
    """A file that turns are written to, from `next_seq` on; None before the first."""

    @property
    def next_seq(self) -> int | None: ...

    @property
    def is_finished(self) -> bool: ...

    def write(self, session: dict[str, Any], turns: list[Turn]) -> None: ...

    def save(self) -> None: ...

    def finish(self, session: dict[str, Any]) -> None: ...


@dataclass
class Export:
    """One transcript and the file that `open` makes ready. `turns` counts those that this run has written."""

    source: Source
    open: Callable[[], AbstractContextManager[TurnFile]]
    status: str = "not begun"
    turns: int = 0

    def run(
        self,
        report: Callable[[int], object],
        *,
        follow: Callable[[float], object] | None = None,
        on_failure: Callable[[RequestError], object] | None = None,
    ) -> None:
        """
        Write what is missing; an error leaves what is there to a run that resumes.

        `report` takes the number of turns that have just been written. With `follow`, new turns are waited for until
        a KeyboardInterrupt ends that: it is called with the seconds until the next look.
        """
        # Until it is known better: whatever raises below, also Ctrl-C, leaves it so.
        self.status = "failed"
        with self.open() as file:
            if file.is_finished:
                self.status = "was there"
                return
            session = self.source.describe()
            try:
                self._fill(file, session, report, follow, on_failure)
            except KeyboardInterrupt:
                if follow is not None:  # that is how following ends
                    file.finish(session)
                raise
            file.finish(session)
        self.status = "written"

    def _fill(
        self,
        file: TurnFile,
        session: dict[str, Any],
        report: Callable[[int], object],
        follow: Callable[[float], object] | None,
        on_failure: Callable[[RequestError], object] | None,
    ) -> None:
        def wait(seconds: float) -> None:
            # A follower may wait for hours: what has come is on the disk meanwhile, so a crash loses nothing of it.
            file.save()
            if follow is not None:
                follow(seconds)

        waiting = None if follow is None else wait
        start = file.next_seq
        for batch in self.source.read(next_seq=start, follow=waiting, on_failure=on_failure):
            file.write(session, batch)
            self.turns += len(batch)
            report(len(batch))
