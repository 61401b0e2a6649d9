"""Where the result, notes and errors of one run go: the one place that a command speaks to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from tempfile import SpooledTemporaryFile
from typing import Any

from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.ground.text import escape, escape_document
from spectronctl.ground.vocabulary import OUTPUT_FORMATS, Color
from spectronctl.output.differences import show_difference
from spectronctl.output.documents import to_json
from spectronctl.output.paging import Pager
from spectronctl.output.progress import BarProgress, LinesProgress, Progress
from spectronctl.output.queries import Query, parse_query
from spectronctl.output.rendering import FOR_PEOPLE, WITH_COLUMNS, Item, Lines, Rendering, Terminal
from spectronctl.output.streams import Streams
from spectronctl.output.views import ANYTHING, View

SPOOL_BYTES = 1 << 20
"""A result longer than this waits on disk, in an unnamed file of mode 0600, until it is whole."""

_DRAWN = FOR_PEOPLE | {"name", "text"}

_READ = {"text", "markdown"}
"""What a person reads from the beginning, a screen at a time."""

_BLOCK_CHARACTERS = 1 << 16

_BOLD_RED, _RED, _GREEN, _YELLOW = "1;31", "31", "32", "33"


class Output:
    """
    The result on stdout, once it is complete; everything else on stderr.

    `columns` is `a,b`, `sort` is `created` or `-created`: both shape table, wide and csv. Ages count from `now`.
    """

    def __init__(
        self,
        format: str,
        streams: Streams,
        *,
        query: str | None = None,
        columns: str | Sequence[str] | None = None,
        sort: str | None = None,
        limit: int | None = None,
        no_header: bool = False,
        quiet: bool = False,
        color: Color = "auto",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pager: Pager | None = None,
    ) -> None:
        self.format = format
        self._streams = streams
        self._pager = pager
        self._query_text = query
        self._quiet = quiet
        self.needs_reader = False
        """Whether it is a failure that the reader of stdout has gone: the response is shown only once."""
        self._held: list[str] = []
        self._remarks: list[str] = []
        self._colors_stderr = streams.colors_stderr(color)
        self._rendering = Rendering(
            format,
            _find_terminal(streams, color),
            columns,
            sort,
            no_header,
            self.note,
            self.remark,
            is_screen=streams.stdout_is_terminal,
            limit=limit,
            now=now,
        )

    def check(self, view: View) -> None:
        """Before any request: a UsageError for a format, query, column or order that cannot work."""
        if self.format not in OUTPUT_FORMATS:
            raise UsageError(
                f"there is no output format {self.format!r}",
                hint=f"The formats are {', '.join(OUTPUT_FORMATS)}.",
            )
        if not view.columns:
            self._refuse_shaping("what this one holds is known only once it is there")
        self._rendering.find_columns(view)
        self._rendering.find_order(view)
        # Reading `_query` parses it: an expression that does not parse is told before any request, too.
        if self._query is not None and self.format in WITH_COLUMNS:
            self._refuse_shaping("--query makes one of its own")

    @property
    def is_sorted(self) -> bool:
        """Whether lists are sorted here, and cut to `--limit` only after that."""
        return self._rendering.sort is not None and self.format in WITH_COLUMNS

    def _refuse_shaping(self, because: str) -> None:
        given = {"--columns": self._rendering.columns, "--sort": self._rendering.sort}
        for option in (option for option, value in given.items() if value is not None):
            raise UsageError(
                f"{option} shapes a table, and {because}",
                hint="Choose and sort in a query: --query 'sort_by([], &id)[].{id: id}'",
            )

    @cached_property
    def _query(self) -> Query | None:
        return None if self._query_text is None else parse_query(self._query_text)

    def show(self, item: Item, view: View, *, lines: Iterable[str] | None = None) -> None:
        """
        Show one object.

        With `lines` people get those in its place, unless they shape a table with `--columns` or `--sort`.
        """
        result = dict(item)
        if self._query is not None:
            self._write(self._rendering.render_found(self._query.run(result), view))
        elif lines is not None and self._rendering.takes_lines:
            self._write(f"{escape(line)}\n" for line in lines)
        else:
            self._write(self._rendering.render_one(result, view))

    def rows(self, items: Iterable[Item], view: View) -> None:
        """Show a list; its items are read once, and held only where the format needs them all."""
        result = map(dict, items)
        if self._query is None:
            self._write(self._rendering.render_many(result, view))
        else:
            self._write(self._rendering.render_found(self._query.run(list(result)), view))

    def show_any(self, found: Any) -> None:
        """Show a value of unknown shape; an iterator is a list that is read once."""
        if self._query is not None:
            found = self._query.run(list(found) if isinstance(found, Iterator) else found)
            self._write(self._rendering.render_found(found, ANYTHING))
        else:
            self._write(self._rendering.render_any(found))

    def done(self, outcome: Item, view: View, note: str) -> None:
        """Say what was done: a note for people, the outcome as an object for programs."""
        self.note(note)
        if self._query is None:
            self._write(self._rendering.render_outcome(dict(outcome), view))
        else:
            self.show(outcome, view)

    def done_all(self, outcomes: Sequence[Item], view: View, note: str) -> None:
        """Say what was done to several: a note for people, the outcomes as a list for programs."""
        self.note(note)
        if self._query is None:
            self._write(self._rendering.render_outcomes(list(map(dict, outcomes)), view))
        else:
            self.rows(outcomes, view)

    def secret(self, minted: Item, view: View, *, secret_stored: bool = False) -> None:
        """
        Show a key with the secret it was minted with; for people the secret alone, nothing around it.

        With `secret_stored` the secret is somewhere else already, and the key is shown without it.
        """
        if secret_stored:
            self.show({name: minted[name] for name in minted if name != "secret"}, view)
        else:
            # Set before it is written, and read while it is: BrokenPipeError is no failure otherwise.
            self.needs_reader = minted["secret"] is not None
            self._write(self._render_minted(dict(minted), view))

    def _render_minted(self, minted: dict[str, Any], view: View) -> Lines:
        if self._query is None:
            return self._rendering.render_secret(minted, view)
        try:
            return self._rendering.render_found(self._query.run(minted), view)
        except UsageError as exc:  # failing now would lose the secret for good
            self.warn(f"{exc.message}. Here is the whole response: its secret is shown only once.")
            return self._rendering.render_secret(minted, view)

    @property
    def terminal(self) -> Terminal | None:
        """The terminal that results are drawn on, if there is one."""
        return self._rendering.terminal

    def text(self, pieces: Iterable[str], *, format: str = "text") -> None:
        """Show a result that has a form of its own, once it is whole; `format` is `text` or names what it is."""
        self._write(pieces, format=format)

    def follow(self, pieces: Iterable[str], *, format: str = "text") -> None:
        """Show a result that has no end, piece by piece; BrokenPipeError once its reader is gone."""
        for piece in pieces:
            self._streams.write_piece(self._spell_out(piece, format))

    def feed(self, items: Iterable[tuple[Item, str]]) -> None:
        """
        Show items as they come, and at once: for people the text that stands beside each, else a line of JSON.

        `--query` shows what it finds in each; BrokenPipeError once stdout has no reader.
        """
        for item, text in items:
            found = item if self._query is None else self._query.run(dict(item))
            if self._speaks_json:
                self.follow([to_json(found) + "\n"], format="json")
            elif self._query is not None:
                self.follow(self._rendering.render_found(found, ANYTHING), format=self.format)
            elif text:
                self.follow([f"{escape(line)}\n" for line in text.split("\n")])

    def wait(self, seconds: float) -> None:
        """Let time pass between pieces; BrokenPipeError as soon as the reader is gone."""
        self._streams.wait_for_reader(seconds)

    def _spell_out(self, text: str, format: str) -> str:
        """What a person's terminal gets; cells and plain text are spelt out where they are made, among colours."""
        if format in _DRAWN or not self._streams.stdout_is_terminal:
            return text
        return escape_document(text, is_json=format in {"json", "jsonl"})

    def _write(self, lines: Lines, *, format: str | None = None) -> None:
        form = format or self.format
        # Nothing reaches stdout before all is rendered: a request that fails in the middle of a list leaves no half of
        # one.
        with _open_spool() as whole:
            for block in _gather(lines):
                with _explain_full_disk():
                    # UTF-8 in every locale. A lone surrogate, which has no UTF-8, comes out as `\udc80` and is no
                    # crash.
                    whole.write(self._spell_out(block, form).encode("utf-8", "backslashreplace"))
            with _explain_full_disk():
                whole.seek(0)
            if self._pager and form in _READ and self._pager.show(whole):
                return
            self._streams.write_output(whole, needs_reader=self.needs_reader)
        while self._remarks:
            self.note(self._remarks.pop(0))

    def remark(self, text: str) -> None:
        """Tell people something about the result once it is written, as `note` does."""
        self._remarks.append(text)

    def note(self, text: str) -> None:
        """Tell people something on stderr; under json and jsonl, once the command has succeeded."""
        self._tell(_escape_lines(text))

    def warn(self, text: str) -> None:
        """Tell people what they should look at, as `note` does."""
        self._tell(f"{self._paint('warning:', _YELLOW)} {_escape_lines(text)}")

    def leave(self, text: str) -> None:
        """Tell what an interrupted command leaves to go on: a warning for people, an event for programs."""
        if self._speaks_json and not self._quiet:
            self._write_event({"event": "interrupted", "text": text})
        else:
            self.warn(text)

    def difference(self, before: Item, after: Item) -> None:
        """Tell people what changed between two states of an object, as `note` does."""
        self.changes(show_difference(before, after))

    def changes(self, lines: Iterable[str]) -> None:
        """Tell people what changed, as `note` does; a line begins with `-` for what is gone."""
        for line in lines:
            self._tell(self._paint(escape(line), _RED if line.startswith("-") else _GREEN))

    def progress(self, label: str, total: int | None = None) -> Progress:
        """A context manager that counts long work: on a terminal a bar, elsewhere lines on stderr."""
        if self._quiet:
            return Progress(label, total, lambda done, text: None)
        if self._speaks_json:
            # Progress is no note: it is of use only while the work goes on, so programs get it as events at once.
            return LinesProgress(label, total, self._write_event)
        if self._streams.stderr_is_terminal and not self._streams.in_ci:
            return BarProgress(label, total, self._streams, color=self._colors_stderr)
        return LinesProgress(label, total, self._write_progress)

    def _write_event(self, event: Item) -> None:
        self._streams.write_message(to_json(event) + "\n")

    def _write_progress(self, event: Item) -> None:
        of = f" of {event['total']}" if event["total"] is not None else ""
        text = f": {escape(event['text'])}" if event["text"] else ""
        self._streams.write_message(f"{escape(event['label'])}: {event['done']}{of}{text}\n")

    def error(self, error: SpectronctlError) -> None:
        """Tell what failed: one line of JSON under json and jsonl, lines for people otherwise."""
        if self._speaks_json:
            self._streams.write_message(to_json(error.to_dict()) + "\n")
            return
        lines = [f"{self._paint('error:', _BOLD_RED)} {_escape_lines(_explain(error))}"]
        if error.hint:
            lines.append(error.hint)
        if error.command:
            lines.append(f"try: {error.command}")
        if error.request_id:
            lines.append(f"request id: {error.request_id}")
        self._streams.write_message("\n  ".join([lines[0], *map(_escape_lines, lines[1:])]) + "\n")

    def finish(self) -> None:
        """The command has succeeded: say what was held back, and flush what others printed."""
        for text in self._held:
            self._streams.write_message(text + "\n")
        self._held.clear()
        self._streams.flush_output()

    @property
    def _speaks_json(self) -> bool:
        return self.format in {"json", "jsonl"}

    def _tell(self, text: str) -> None:
        if self._quiet:
            return
        if self._speaks_json:
            # A failure must be the one line on stderr that programs parse; notes wait until it is known that there is
            # none.
            self._held.append(text)
        else:
            self._streams.write_message(text + "\n")

    def _paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colors_stderr else text


def _explain(error: SpectronctlError) -> str:
    """What failed, then what is near it, then how it travelled: a person reads from the left."""
    near = f". Did you mean {', '.join(error.candidates)}?" if error.candidates else ""
    return error.message + near + error.text.removeprefix(error.message)


def _find_terminal(streams: Streams, color: Color) -> Terminal | None:
    if not streams.stdout_is_terminal or streams.in_ci:
        return None
    return Terminal(streams.width, streams.colors_stdout(color))


@contextmanager
def _open_spool() -> Iterator[SpooledTemporaryFile[bytes]]:
    whole = SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 - closed below, where closing may fail
    try:
        yield whole
    finally:
        with suppress(OSError):  # what did not fit on the disk fails once more
            whole.close()


def _gather(lines: Lines) -> Iterator[str]:
    """The same text in fewer and larger pieces: to write each line costs as much as to make it."""
    held: list[str] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size > _BLOCK_CHARACTERS:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


@contextmanager
def _explain_full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise SpectronctlError(
            f"cannot keep the result in a temporary file: {exc.strerror}",
            hint="A long result needs space for temporary files; set TMPDIR to a directory with more.",
        ) from None


def _escape_lines(text: str) -> str:
    """Several lines stay several, set in under the first."""
    return "\n  ".join(map(escape, text.split("\n")))
