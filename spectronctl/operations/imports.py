"""Imports of conversations: repeated after any interruption, no turn is lost and none comes twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain, islice
from typing import Any, TypeVar

from spectronctl.api import facts
from spectronctl.api import sessions as api
from spectronctl.client import Client
from spectronctl.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    RequestError,
    UpstreamError,
    UsageError,
)
from spectronctl.ground.backoff import pause_after
from spectronctl.models.facts import Message
from spectronctl.models.sessions import Session, Turn
from spectronctl.operations.transcripts import PARALLEL, read_turns

T = TypeVar("T")

CHUNK_TURNS = 500
CHUNK_BYTES = 1024 * 1024
"""What one request carries at most; a single longer message goes alone."""

ATTEMPTS = 6
FIRST_PAUSE = 0.5
"""Seconds after the first lost response for a chunk, twice as many after each further one."""

MAX_PAUSE_SECS = 60.0
"""Seconds between two attempts at most; for a server that asks for more, there is no further attempt."""

SUCCESSORS = 100
"""How many sessions of the same import may have been deleted within the 24 hours that a server remembers them."""


@dataclass(frozen=True)
class Progress:
    """
    Turns of the file that the session holds by now: `found` were there before, `sent` were added.

    `made` is the session as the server made it, where that was part of the import.
    """

    session_id: str
    found: int
    sent: int
    made: Session | None = None


@dataclass(frozen=True)
class Chunk:
    """Messages of a file, of which `position` come before."""

    position: int
    messages: list[Message]

    def after(self, count: int) -> Chunk:
        return Chunk(self.position + count, self.messages[count:])


def import_turns(
    client: Client,
    context_id: str,
    messages: Iterable[Message],
    *,
    session_id: str | None = None,
    scopes: api.Scopes | None = None,
    metadata: Any = None,
    created_at: str | None = None,
    source: str = "",
    parallel: int = PARALLEL,
    attempts: int = ATTEMPTS,
    report: Callable[[Progress], object] = lambda progress: None,
    sleep: Callable[[float], object] = time.sleep,
) -> Progress:
    """
    Append a conversation to a session, and go on where an earlier import of the same messages stopped.

    The turns that the session has must be the first of `messages`; ConflictError says where they differ. Without
    `session_id` a session is made, with these scopes and metadata, as of `created_at` where the server can date it. It
    is made once: for 24 hours the same `source` (a file's path, say) with the same beginning comes to the same session.
    `report` is called when the session is known, and after every request; what `messages` raises stops the import
    before the chunk that it would have been part of.
    """
    # The first chunk is read before a session is made: a file that is broken in its first line leaves nothing behind.
    chunks = cut_chunks(messages)
    first = next(chunks, None)
    if first is None:
        raise UsageError("there are no turns to import")
    target = _Target(client, context_id, session_id or "", attempts, sleep)
    made = None
    if session_id is None:
        wanted = {"scopes": scopes, "metadata": metadata, "created_at": created_at}
        made = target.create(first, source, wanted, report)
    # One reading runs beside the file from here to the end, so what is stored is fetched once, and only as far as the
    # file goes.
    stored = _flatten(read_turns(client, context_id, target.session_id, parallel=parallel))
    progress = Progress(target.session_id, found=0, sent=0, made=made)
    report(progress)
    for chunk in chain([first], chunks):
        # Only the end of what is stored can lie within a chunk. From there on every `match` is empty, and everything
        # is sent.
        known = target.match(chunk, stored)
        target.send(chunk.after(known))
        sent = len(chunk.messages) - known
        progress = replace(progress, found=progress.found + known, sent=progress.sent + sent)
        report(progress)
    _refuse_more(next(stored, None), progress)
    return progress


def cut_chunks(messages: Iterable[Message]) -> Iterator[Chunk]:
    """The messages in requests' worths, cut at the same places every time."""
    position, size = 0, 0
    held: list[Message] = []
    for message in messages:
        # By the messages alone, never by what is stored: cut at the same places, a repeated import has the same
        # idempotency keys.
        weight = len(_encode(message))
        if held and (len(held) == CHUNK_TURNS or size + weight > CHUNK_BYTES):
            yield Chunk(position, held)
            position, held, size = position + len(held), [], 0
        held.append(message)
        size += weight
    if held:
        yield Chunk(position, held)


class _Target:
    """The session that a conversation goes into."""

    def __init__(
        self,
        client: Client,
        context_id: str,
        session_id: str,
        attempts: int,
        sleep: Callable[[float], object],
    ) -> None:
        self.session_id = session_id
        self._client = client
        self._context = context_id
        self._attempts = attempts
        self._sleep = sleep

    def create(
        self,
        first: Chunk,
        source: str,
        wanted: dict[str, Any],
        report: Callable[[Progress], object],
    ) -> Session:
        """Make the session, or come to the one made for the same import; one deleted since gets a successor."""
        for _ in range(SUCCESSORS):
            try:
                made = self._create_once(first, source, wanted)
            except InvalidError:
                if wanted["created_at"] is None:
                    raise
                # Not part of the product's protocol: a server may refuse it, and whatever else is wrong it says again.
                wanted = {**wanted, "created_at": None}
                made = self._create_once(first, source, wanted)
            self.session_id = made.id
            # At once: an import that is interrupted from here on can name the session that it leaves.
            report(Progress(self.session_id, found=0, sent=0))
            # The server repeats its stored response for 24 hours, also for a session that was deleted since.
            if self._is_there():
                return made
        raise NotFoundError(f"session {self.session_id} was made, and is not there")

    def _create_once(self, first: Chunk, source: str, wanted: dict[str, Any]) -> Session:
        # With the last session's id (empty at first): a successor needs another key, or the deleted session would be
        # named again. It is found the same way by a second run, which walks through the same successors.
        name = json.dumps([source, wanted, self.session_id], sort_keys=True)
        key = _derive_key(self._context, name, first)
        request = api.create_session(self._context, **wanted, idempotency_key=key)
        return self._persist(lambda: self._client.send(request))

    def match(self, chunk: Chunk, stored: Iterator[Turn]) -> int:
        """How many of a chunk's messages are stored; ConflictError when others are in their place."""
        known = list(islice(stored, len(chunk.messages)))
        for number, (turn, message) in enumerate(zip(known, chunk.messages, strict=False)):
            if (turn["role"], turn["content"]) != (message["role"], message["content"]):
                raise _refuse(self.session_id, turn, chunk.position + number)
        return len(known)

    def send(self, chunk: Chunk) -> None:
        """Append a chunk; after a lost response, look first what has become of it."""
        for attempt in range(self._attempts):
            if not chunk.messages:
                return
            try:
                self._send_once(chunk)
                return
            except RequestError as exc:
                self._wait(attempt, exc)
            # Not every server keeps idempotency keys, and one may have stored a part of the chunk: what is there is
            # asked for first.
            chunk = chunk.after(self.match(chunk, self._read_from(chunk.position)))

    def _persist(self, send: Callable[[], T]) -> T:
        """Send again until there is a response: what carries an idempotency key is carried out once."""
        attempt = 0
        while True:
            try:
                return send()
            except RequestError as exc:
                self._wait(attempt, exc)
            attempt += 1

    def _wait(self, attempt: int, exc: RequestError) -> None:
        """Wait before the next attempt; raise the error when there is none."""
        # A conflict says that the same request is still being carried out.
        may_pass = exc.outcome_unknown or isinstance(exc, ConflictError | RateLimitedError)
        pause = exc.retry_after_secs or pause_after(attempt + 1, FIRST_PAUSE, MAX_PAUSE_SECS)
        if not may_pass or pause > MAX_PAUSE_SECS or attempt == self._attempts - 1:
            raise exc
        self._sleep(pause)

    def _is_there(self) -> bool:
        try:
            next(self._read_from(0), None)
        except NotFoundError:
            return False
        return True

    def _send_once(self, chunk: Chunk) -> None:
        request = facts.create_facts(
            self._context,
            chunk.messages,
            session_id=self.session_id,
            idempotency_key=_derive_key(self._context, self.session_id, chunk),
        )
        stored = self._client.send(request)
        # To believe it would lose turns: the next chunk would be stored as if nothing were missing before it.
        if len(stored.turn_ids) != len(chunk.messages):
            raise UpstreamError(
                f"the server says that it stored {len(stored.turn_ids)} turns of {len(chunk.messages)}",
                hint="Run the import again: it looks at what is there and goes on after that.",
            )

    def _read_from(self, position: int) -> Iterator[Turn]:
        request = api.list_turns(self._context, self.session_id)
        # At most a chunk is read here, a page or two: more requests at once would fetch what nothing looks at.
        pages = self._client.offset_pages(request, start=position, parallel=1)
        return _flatten(page.items for page in pages)


def _derive_key(context_id: str, session_id: str, chunk: Chunk) -> str:
    """The same for the same messages at the same place: sent twice, they are stored once."""
    digest = sha256()
    for part in (context_id, session_id, str(chunk.position)):
        # With a zero byte behind each, so that parts cannot run into each other. A path may hold bytes that are no
        # text.
        digest.update(part.encode(errors="surrogatepass") + b"\0")
    for message in chunk.messages:
        digest.update(_encode(message))
    return f"spectronctl-{digest.hexdigest()}"


def _encode(message: Message) -> bytes:
    return json.dumps(message, ensure_ascii=False, sort_keys=True).encode()


def _flatten(batches: Iterable[list[Turn]]) -> Iterator[Turn]:
    for batch in batches:
        yield from batch


def _refuse(session_id: str, turn: Turn, position: int) -> ConflictError:
    return ConflictError(
        f"session {session_id} has another turn at seq {turn['seq']}"
        f" than turn {position + 1} of the conversation",
        hint="A session goes on only with the conversation that it holds. Import into a new one, or name another.",
    )


def _refuse_more(turn: Turn | None, progress: Progress) -> None:
    if turn is not None:
        raise ConflictError(
            f"session {progress.session_id} goes on at seq {turn['seq']},"
            f" after all {progress.found} turns of the conversation",
            hint="All of the conversation is in the session, and more: nothing was sent.",
        )
