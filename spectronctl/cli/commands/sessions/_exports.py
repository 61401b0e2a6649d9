"""Transcripts in files: one, or many at a time, each of which can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spectronctl.api import sessions as api
from spectronctl.cli.commands._plane import explain_missing, open_plane
from spectronctl.cli.commands.sessions._format import SUFFIXES, Format
from spectronctl.cli.commands.sessions._view import EXPORTED, NO_LIST
from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.output.transcripts import TranscriptFile

if TYPE_CHECKING:
    from spectronctl.cli.commands.sessions._turns import Source, Wanted
    from spectronctl.cli.runtime import Runtime
    from spectronctl.output.progress import Progress

Report = Callable[[int], object]
"""Takes the number of turns that have just been written."""


@dataclass
class Export:
    """One transcript and its file. `turns` counts those that this run has written."""

    source: Source
    path: Path
    resume: bool
    force: bool
    status: str = "not begun"
    turns: int = 0
    error: SpectronctlError | None = None

    def describe(self) -> dict[str, Any]:
        """What became of it, as it is shown."""
        return {
            "session": self.source.session_id,
            "file": str(self.path),
            "status": self.status,
            "turns": self.turns,
            "error": self.error.message if self.error else None,
        }

    def run(self, report: Report, *, follow: Callable[[float], object] | None = None) -> None:
        """Write what is missing; SpectronctlError leaves what is there to a run that resumes."""
        with self._open() as file:
            if file.is_finished:
                self.status = "was there"
                return
            self.status = "interrupted"
            session = self.source.describe()
            try:
                self._fill(file, session, report, follow)
            except KeyboardInterrupt:
                if follow is not None:  # that is how following ends
                    file.finish(session)
                raise
            file.finish(session)
        self.status = "written"

    def _open(self) -> TranscriptFile:
        wanted = self.source.wanted
        identity = {
            "context": self.source.context,
            "session": self.source.session_id,
            "roles": list(wanted.roles),
            "tail": wanted.tail,
            "from_seq": wanted.from_seq,
        }
        return TranscriptFile.open(
            self.path, wanted.format, export=identity, resume=self.resume, force=self.force
        )

    def _fill(
        self,
        file: TranscriptFile,
        session: dict[str, Any],
        report: Report,
        follow: Callable[[float], object] | None,
    ) -> None:
        def wait(seconds: float) -> None:
            file.save()
            if follow is not None:
                follow(seconds)

        waiting = None if follow is None else wait
        for batch in self.source.read(next_seq=file.next_seq, follow=waiting):
            file.write(session, batch)
            self.turns += len(batch)
            report(len(batch))


def export_one(rt: Runtime, export: Export, *, follow: bool) -> None:
    """Write one transcript and say where it is."""
    import time

    rt.out.check(EXPORTED)
    _refuse_limit(rt)
    with rt.out.progress("turns") as progress:
        try:
            export.run(
                lambda count: progress.advance(count=count), follow=time.sleep if follow else None
            )
        except KeyboardInterrupt:
            if not follow:
                rt.out.warn("interrupted; the same command with --resume goes on")
            raise
    rt.out.done(export.describe(), EXPORTED, _say(export))


def _refuse_limit(rt: Runtime) -> None:
    if rt.settings.limit.value is not None:
        raise UsageError(
            "--limit would leave a file that looks whole and is not",
            hint="--tail N writes the last N turns.",
        )


def export_many(
    rt: Runtime,
    wanted: Wanted,
    ids: Sequence[str] | None,
    directory: Path,
    *,
    resume: bool,
    force: bool,
) -> None:
    """Write the transcripts of these sessions, or of all, each with what became of it; fail when any did."""
    rt.out.check(EXPORTED)
    if not directory.is_dir():
        raise UsageError(f"there is no directory {directory}", command=f"mkdir -p {directory}")
    if ids is not None:
        _check_new(_place(ids, wanted, directory), resume=resume, force=force)
    with open_plane(rt) as (client, context):
        if ids is None:
            with explain_missing(NO_LIST):
                listed = rt.list_items(api.list_sessions(context), client=client)
                ids = [str(session["id"]) for session in listed]
            _check_new(_place(ids, wanted, directory), resume=resume, force=force)
        at_once = max(1, min(wanted.parallel, len(ids)))
        share = replace(wanted, parallel=max(1, wanted.parallel // at_once))
        exports = [
            Export(share.bind(client, context, each), path, resume, force)
            for each, path in zip(ids, _place(ids, wanted, directory), strict=True)
        ]
        with rt.out.progress("sessions", len(exports)) as progress:
            _run_all(rt, exports, at_once, progress)
    rt.out.rows([export.describe() for export in exports], EXPORTED)
    _raise_failures(exports)


def _place(ids: Sequence[str], wanted: Wanted, directory: Path) -> list[Path]:
    """A file per session. No two ids have one name, and none leads out of the directory."""
    suffix = SUFFIXES[Format(wanted.format)]
    names = (quote(each, safe=":").replace("_", "%5F").replace(":", "_") for each in ids)
    return [directory / (name + suffix) for name in names]


def _check_new(paths: Sequence[Path], *, resume: bool, force: bool) -> None:
    there = [] if resume or force else [path for path in paths if path.exists()]
    if there:
        more = f", and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(
            f"{there[0]} exists already{more}",
            hint="Pass --resume to leave what is whole and go on with the rest, or --force to replace all.",
        )


def _run_all(rt: Runtime, exports: Sequence[Export], at_once: int, progress: Progress) -> None:
    stopped = Event()

    def check(count: int) -> None:
        if stopped.is_set():
            raise SpectronctlError("interrupted")

    def run(export: Export) -> Export:
        if not stopped.is_set():
            try:
                export.run(check)
            except SpectronctlError as exc:
                export.status, export.error = "failed", exc
        return export

    with ThreadPoolExecutor(at_once) as pool:
        try:
            for future in as_completed([pool.submit(run, export) for export in exports]):
                progress.advance(_say(future.result()))
        except KeyboardInterrupt:
            stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)
            rt.out.warn("interrupted; the same command with --resume goes on")
            raise


def _say(export: Export) -> str:
    name = export.source.session_id
    if export.error:
        return f"{name}: {export.error.message}"
    if export.status == "was there":
        return f"{export.path} was whole already."
    return f"Wrote {export.turns} turns of {name} to {export.path}."


def _raise_failures(exports: Sequence[Export]) -> None:
    failed = [export for export in exports if export.error]
    if failed:
        raise SpectronctlError(
            f"{len(failed)} of {len(exports)} exports failed",
            hint="\n".join([*map(_say, failed), "The same command with --resume goes on."]),
        )
