"""The turns that are wanted of a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spectronctl.operations.transcripts import find_session, read_turns

if TYPE_CHECKING:
    from spectronctl.client import Client
    from spectronctl.models.sessions import Turn


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is wanted of any session: `roles` is sorted, empty for all; `parallel` counts requests at a time."""

    format: str
    tail: int | None
    from_seq: int | None
    roles: tuple[str, ...]
    parallel: int

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

    def describe(self) -> dict[str, Any]:
        """What the session says of itself: its id at least."""
        found = find_session(self.client, self.context, self.session_id)
        return found.to_dict() if found else {"id": self.session_id}

    def read(
        self, *, next_seq: int | None = None, follow: Callable[[float], object] | None = None
    ) -> Iterator[list[Turn]]:
        """The turns in batches, from `next_seq` on where an earlier reading ended before it."""
        wanted = self.wanted
        return read_turns(
            self.client,
            self.context,
            self.session_id,
            from_seq=wanted.from_seq if next_seq is None else next_seq,
            tail=wanted.tail if next_seq is None else None,
            roles=wanted.roles,
            parallel=wanted.parallel,
            follow=follow,
        )
