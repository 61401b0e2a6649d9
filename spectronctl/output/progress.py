"""How far long work has come: a bar on a terminal, lines elsewhere, JSON events for programs."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from spectronctl.ground.text import escape

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from spectronctl.output.streams import Streams

HEARTBEAT_SECONDS = 30.0
"""How long people who see no bar wait for a sign of life."""


class Progress:
    """Counts `total` things under a `label`; `total` None is not known yet. Safe to advance from several threads."""

    def __init__(self, label: str, total: int | None, tell: Callable[[int, str], None]) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self._tell = tell
        self._told: tuple[int, int | None, str] | None = None
        self._lock = Lock()

    def advance(self, text: str = "", count: int = 1) -> None:
        """`count` more are done; `text` says what changed."""
        with self._lock:
            self.done += count
            self._tell(self.done, text)

    def reach(self, done: int, total: int | None, text: str = "") -> None:
        """`done` of `total` are done by now; what was told last is not told again."""
        with self._lock:
            self.done, self.total = done, total
            if self._told != (done, total, text):
                self._told = done, total, text
                self._tell(done, text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing was held open."""


class LinesProgress(Progress):
    """A line, or an event, for every change, and one when nothing has changed for a while."""

    def __init__(
        self,
        label: str,
        total: int | None,
        write: Callable[[dict[str, Any]], None],
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        super().__init__(label, total, self._change)
        self._write = write
        self._heartbeat = heartbeat
        self._over = Event()
        self._changed_at = monotonic()
        self._thread = Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        # Joined, so that no heartbeat comes after the result.
        self._thread.join()

    def _change(self, done: int, text: str) -> None:
        self._changed_at = monotonic()
        self._say("progress", text)

    def _beat(self) -> None:
        while not self._over.wait(self._heartbeat):
            if monotonic() - self._changed_at >= self._heartbeat:
                self._say("heartbeat", "")

    def _say(self, event: str, text: str) -> None:
        self._write(
            {
                "event": event,
                "label": self.label,
                "done": self.done,
                "total": self.total,
                "text": text,
            }
        )


class BarProgress(Progress):
    """A bar with rate and remaining time, gone when the work is."""

    def __init__(self, label: str, total: int | None, streams: Streams, *, color: bool) -> None:
        super().__init__(label, total, self._draw)
        self._streams = streams
        self._bar = _make_bar(streams, color=color)
        self._task = self._bar.add_task(escape(label), total=total, text="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def _draw(self, done: int, text: str) -> None:
        # rich writes to the terminal itself, past `write_message`: what that hides must be hidden here.
        shown = escape(self._streams.hide(text))
        self._bar.update(self._task, completed=done, total=self.total, text=shown)


def _make_bar(streams: Streams, *, color: bool) -> Bar:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar
    from rich.text import Text

    # rich's own column of this kind counts bytes.
    class RateColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            # `speed` is that of the last half minute, and `finished_speed` what it was at the end.
            return Text(show_rate(task.finished_speed or task.speed))

    console = Console(
        file=streams.stderr,
        force_terminal=True,
        color_system="standard" if color else None,
        legacy_windows=False,
        width=streams.width,
    )
    return Bar(
        # Without this, `[red]` in the name of a file or a key would be a style.
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}", markup=False),
        console=console,
        transient=True,
    )


def show_rate(rate: float | None) -> str:
    """Things per second, to two digits at least; nothing while that is not known."""
    if rate is None:
        return ""
    return f"{rate:.0f}/s" if rate >= 10 else f"{rate:.2g}/s"
