"""What is configured here: the config file, the settings, the keys."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spectronctl.cli.clients import NO_KEY_HINT
from spectronctl.cli.runtime import Runtime
from spectronctl.config.credentials import COMMAND_SECONDS, Credential, digest
from spectronctl.config.profiles import Config
from spectronctl.config.resolve import Setting, Settings, resolve
from spectronctl.errors import AuthError, ConfigError, SpectronctlError, UsageError
from spectronctl.local.locations import find_config_path
from spectronctl.operations.diagnosis import Check, Finding, Subject, Target

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 10.0
"""Seconds for each check, unless a timeout was chosen: a diagnosis must end sooner than the work itself."""

SHAPING = frozenset(
    {"output", "query", "columns", "sort", "limit", "no_header", "quiet", "yes", "no_input"}
)
"""Settings that say how things look, or who is asked: nothing that a server could notice."""

_MAKE_YOURS = "It names servers and where keys are: make it yours alone."
_MOVE = (
    "Other users who can write there can replace your config: move it to a directory of your own, and pass it in"
    " SPECTRONCTL_CONFIG say so."
)


class Setup:
    """
    Reads the config and the settings of a run, and keeps what is wrong with them for the checks to say.

    Afterwards the run has settings in any case, if only those of the command line: enough to show a table with.
    UsageError for what was typed.
    """

    def __init__(self, rt: Runtime, subject: Subject) -> None:
        self._rt = rt
        self._subject = subject
        self._path = find_config_path(rt.env)
        self._config_error: SpectronctlError | None = None
        self._settings_error: SpectronctlError | None = None
        typed = {name: value for name, value in rt.flags.items() if name != "profile"}
        # Outside of `try`: a wrong word on the command line is a usage error, and nothing that a diagnosis finds. The
        # profile is left out, since the config may be what is wrong.
        bare = resolve(typed, {}, Config(self._path))
        try:
            _ = rt.config
        except ConfigError as exc:
            self._config_error = exc
            rt.config = Config(self._path)
        try:
            _ = rt.settings
        except SpectronctlError as exc:
            self._settings_error = exc
            rt.settings = _resolve_for_show(rt, typed) or bare
        self.given = rt.settings
        """The settings as they are, before they are changed for the diagnosis."""

    def list_checks(self) -> Iterator[Check]:
        yield Check("config", self._check_config)
        yield Check("settings", self._check_settings, ("config",))
        # To read a key is to wait for a person or a program of theirs.
        yield Check("keys", self._check_keys, ("settings",), bounded=False)

    @property
    def limit(self) -> float:
        """Seconds that each check may take."""
        timeout = self.given.timeout
        return min(LIMIT, timeout.value) if timeout.source == "default" else timeout.value

    def _check_config(self) -> Finding:
        if self._config_error is not None:
            raise self._config_error
        facts = {"path": str(self._path), "exists": self._path.exists()}
        if not facts["exists"]:
            return Finding(f"{self._path} is not there, and need not be", facts=facts)
        if warning := self._rt.config.warning:
            return Finding(warning, "warning", "Correct the name, or remove the line.", facts=facts)
        profiles = self._rt.config.profiles
        detail = f"{self._path}, {len(profiles)} profile{'' if len(profiles) == 1 else 's'}"
        for path, mode in self._list_shared():
            return Finding(
                f"{path} is open to others (mode {stat.S_IMODE(path.stat().st_mode):04o})",
                "warning",
                hint=_MAKE_YOURS if mode else _MOVE,
                command=f"chmod {mode} {shlex.quote(str(path))}" if mode else None,
                facts=facts,
            )
        return Finding(detail, facts=facts)

    def _list_shared(self) -> Iterator[tuple[Path, str | None]]:
        """
        What others have more of than is good: the file, or its directory, each with the mode to have.

        A directory that the user chose has other purposes, and keeps its mode.
        """
        if os.name != "posix" or not self._path.is_file():  # /dev/null is for everybody
            return
        if self._path.stat().st_mode & 0o077:
            yield self._path, "600"
        directory = self._path.parent
        is_chosen = "SPECTRONCTL_CONFIG" in self._rt.env
        # Where others may write, they can put another config in its place; what they can read matters only in a
        # directory of our own.
        if _is_open(directory, 0o022 if is_chosen else 0o077):
            yield directory, None if is_chosen else "700"

    def _check_settings(self) -> Finding:
        rt = self._rt
        if self._settings_error is not None:
            raise self._settings_error
        given = self.given
        # Before the first client is made, since each takes its timeout and its retries from the run.
        rt.settings = _send_once(given, self.limit)
        self._subject.target = self._describe_target(rt.settings)
        facts = {
            name: {"value": setting.shown, "source": setting.source}
            for name, setting in given.each()
            if name not in SHAPING
        }
        told = ("profile", "url", "context") if not given.is_local else ("profile", "context")
        detail = "; ".join(
            f"{name} {facts[name]['value']} from {facts[name]['source']}"
            for name in told
            if facts[name]["value"] is not None
        )
        if given.notes:
            hint = "A variable overrides the profile: unset it to use the profile."
            return Finding(f"{detail}; {'; '.join(given.notes)}", "warning", hint, facts=facts)
        return Finding(detail, facts=facts)

    def _describe_target(self, given: Settings) -> Target:
        kept = f"profile {given.profile.value}"
        return Target(
            url=given.url.value,
            profile=given.profile.value if given.url.source == kept else None,
            context=given.context.value,
            auth_header=given.auth_header.value,
            ca_file=given.ca_file.value,
            proxy=given.proxy.value,
            proxy_source=given.proxy.source,
            limit=given.timeout.value,
            is_local=given.is_local,
            has_network=self._rt.clients.has_network,
            client=self._rt.clients.public,
        )

    def _check_keys(self) -> Finding:
        given, subject = self.given, self._subject
        management = given.management_credential()
        inner = given.data_plane_credential(given.context.value) if given.context.value else None
        subject.management_key = self._read(management)
        # Not read again: that may be a program that asks a person, or stdin, which is empty by now.
        subject.context_key = subject.management_key if inner == management else self._read(inner)
        facts = {
            "management_key": _describe_key(management, subject.management_key),
            "context_key": _describe_key(inner, subject.context_key),
        }
        told = [
            f"{name} {key['digest']} from {key['source']}" for name, key in facts.items() if key
        ]
        if not told and not given.is_local:
            raise AuthError("no key to send", hint=NO_KEY_HINT)
        detail = "; ".join(told) or "none, and none is needed"
        if management and management.is_visible and not self._rt.streams.in_ci:
            hint = "--api-key-file, SPECTRON_MANAGEMENT_API_KEY or a profile keep it private."
            detail += "; --api-key can be seen in `ps` and in the shell's history"
            return Finding(detail, "warning", hint, facts=facts)
        return Finding(detail, facts=facts)

    def _read(self, credential: Credential | None) -> str | None:
        if credential is None:
            return None
        timeout = self.given.timeout
        # The limit of a check is too short for a person who types a passphrase: only a timeout that was chosen counts.
        seconds = COMMAND_SECONDS if timeout.source == "default" else timeout.value
        return credential.read(
            self._rt.env, self._rt.inputs.read_stdin, seconds=min(COMMAND_SECONDS, seconds)
        )


def _is_open(directory: Path, bits: int) -> bool:
    """Whether our directory lets others do what they should not; a sticky one keeps each file to its owner."""
    found = directory.stat()
    return bool(
        found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX and found.st_mode & bits
    )


def _describe_key(credential: Credential | None, key: str | None) -> dict[str, Any] | None:
    return {"digest": digest(key), "source": credential.source} if credential and key else None


def _send_once(given: Settings, limit: float) -> Settings:
    """A diagnosis wants to see the first result, not the best of several."""
    return replace(
        given,
        timeout=Setting(limit, given.timeout.source),
        retries=Setting(0, "doctor"),
    )


def _resolve_for_show(rt: Runtime, typed: dict[str, Any]) -> Settings | None:
    """The settings without the profile, which may be what is wrong; None when a variable is."""
    # The output format that the environment names still counts: a script gets JSON although the profile cannot be read.
    env = {name: text for name, text in rt.env.items() if name != "SPECTRONCTL_PROFILE"}
    try:
        return resolve(typed, env, Config(find_config_path(rt.env)))
    except UsageError:
        return None
