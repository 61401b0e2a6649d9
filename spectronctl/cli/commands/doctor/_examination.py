"""One run of all the checks, and the files that may come of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectronctl.cli.commands.doctor import _here
from spectronctl.cli.commands.doctor._bundle import Cleaner, build_bundle
from spectronctl.cli.commands.doctor._setup import Setup
from spectronctl.client.probes import can_read_certificates
from spectronctl.errors import ConfigError, NotFoundError, SpectronctlError, UsageError
from spectronctl.ground.disk import replace_file
from spectronctl.ground.installing import EXTRA_HINT, find_install_command
from spectronctl.operations.diagnosis import (
    Check,
    Result,
    Subject,
    diagnose,
    find_authority,
    list_checks,
)
from spectronctl.output.documents import to_json
from spectronctl.output.sinks import check_file

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.client.probes import Certificate

MIN_SECRET = 6
"""Characters: to take out whatever is shorter would take the words apart."""


class Examination:
    """What is looked at, what was found, and where that goes besides the result."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._subject = Subject()
        self._setup = Setup(rt, self._subject)
        self._results: list[Result] = []
        self._bundle: Path | None = None
        self._authority: Path | None = None
        self._force = False

    def reserve(self, bundle: str | None, authority: str | None, *, force: bool) -> None:
        """Where a bundle and the authority's certificate are to go; UsageError for a place that cannot be meant."""
        self._bundle, self._authority = (
            Path(name) if name else None for name in (bundle, authority)
        )
        self._force = force
        if authority and not can_read_certificates():
            raise ConfigError(
                "--save-ca reads certificates with the package cryptography, which is not installed",
                hint=EXTRA_HINT,
                command=find_install_command(),
            )
        for path in (self._bundle, self._authority):
            if path is not None:
                self._check_place(path)

    def _check_place(self, path: Path) -> None:
        check_file(path)
        if path.exists() and not self._force:
            raise UsageError(f"{path} already exists", hint="Pass --force to replace it.")

    def run(self) -> dict[str, Any]:
        """Every check, one after the other, as it is shown."""
        self._results = list(diagnose(self._list_checks(), lambda: self._setup.limit))
        shown: dict[str, Any] = Cleaner(self._list_secrets()).clean(self._report())
        return shown

    def _list_checks(self) -> Iterator[Check]:
        store, others = _here.list_checks(self._rt, self._subject)
        yield from self._setup.list_checks()
        yield store
        yield from list_checks(self._subject)
        yield from others

    def _report(self) -> dict[str, Any]:
        error = self._first_error
        statuses = {result.finding.status for result in self._results}
        worst = next((one for one in ("failed", "warning") if one in statuses), "ok")
        return {
            "status": worst,
            "exit_code": error.exit_code if error else 0,
            "checks": [result.to_dict() for result in self._results],
        }

    @property
    def _first_error(self) -> SpectronctlError | None:
        return next((result.error for result in self._results if result.error), None)

    def _list_secrets(self) -> set[str]:
        """Every secret that this run has had in hand."""
        # Not set while the check that finds the route has not run, or was skipped.
        proxy = getattr(self._subject, "route", None) and self._subject.route.proxy
        known = (
            self._subject.management_key,
            self._subject.context_key,
            proxy and proxy.password,
            *(
                self._rt.env.get(name)
                for name in self._rt.settings.key_variables
                # Those hold paths, which a reader of the report needs.
                if not name.endswith("_FILE")
            ),
        )
        return {secret for secret in known if secret and len(secret) >= MIN_SECRET}

    def write_files(self) -> None:
        """Write what was asked for, each in one step and for its owner alone; ConfigError."""
        if self._bundle is not None:
            home = self._rt.env.get("HOME", "").rstrip("/")
            cleaner = Cleaner(self._list_secrets(), home or None)
            document = cleaner.clean(build_bundle(self._rt.env, self._setup.given, self._report()))
            self._write(self._bundle, to_json(document, indent=2) + "\n")
            self._rt.out.note(f"Wrote {self._bundle}. Read it before you pass it on.")
        authority = self._find_authority()
        if self._authority is not None and authority is not None:
            self._write(self._authority, authority.pem)
            self._rt.out.note(
                f"Wrote the certificate of {authority.subject} to {self._authority}. Nothing trusts it yet."
            )

    def _find_authority(self) -> Certificate | None:
        tls = self._subject.tls
        return find_authority(tls.certificates) if tls else None

    def _write(self, path: Path, text: str) -> None:
        self._check_place(path)
        try:
            replace_file(path, text.encode())
        except OSError as exc:
            raise ConfigError(f"{path} cannot be written: {exc.strerror}") from None

    def raise_first(self) -> None:
        """Fail as the first check that failed would have a command fail."""
        if error := self._first_error:
            cleaner = Cleaner(self._list_secrets())
            # It may quote what a stranger on the port said, and goes to stderr, which the table's cleaning does not
            # reach.
            error.message, error.hint = cleaner.clean(error.message), cleaner.clean(error.hint)
            raise error
        if self._authority is not None and self._find_authority() is None:
            raise NotFoundError(
                "the server does not send its authority's certificate",
                hint="Ask the operator of the server, or the owner of the authority, for it.",
            )
