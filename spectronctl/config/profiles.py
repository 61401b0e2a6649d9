"""What the config file says of servers: named profiles, and the one that is built in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from spectronctl.config.credentials import Credential
from spectronctl.config.values import near_names
from spectronctl.errors import ConfigError

LOCAL = "local"
LOCAL_URL = "http://local.invalid"
"""Where the embedded server seems to be: a name that no resolver may ever resolve (RFC 2606)."""

NAME = re.compile(r"[A-Za-z0-9._-]+")
NAME_RULE = "a profile's name is made of letters, digits, '.', '_' and '-'"


@dataclass(frozen=True)
class Profile:
    """One `[profiles.NAME]`: None where the file is silent; `timeout` in seconds, `context_keys` by context id."""

    name: str
    url: str | None = None
    context: str | None = None
    auth_header: str | None = None
    protected: bool | None = None
    ca_file: str | None = None
    # A proxy's URL may hold a password.
    proxy: str | None = field(default=None, repr=False)
    timeout: float | None = None
    retries: int | None = None
    credential: Credential | None = None
    context_keys: Mapping[str, Credential] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """What the config file says; a missing file says nothing. `ignored` are fields that no profile has."""

    path: Path
    profile: str | None = None
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    @property
    def warning(self) -> str | None:
        """What is told of the file at every run, since it may not do what its owner means."""
        if not self.ignored:
            return None
        return f"{self.path}: ignored, as spectronctl has no such field: {', '.join(self.ignored)}"


def find_profile(config: Config, name: str) -> Profile:
    """The profile of that name, the built-in `local` included; ConfigError names the near ones."""
    # The file cannot hold one of this name (`_build_profile`), so nothing there can change what `local` means.
    if name == LOCAL:
        return Profile(LOCAL, url=LOCAL_URL)
    if name not in config.profiles:
        refuse_unknown(name, [*config.profiles, LOCAL], config.path)
    return config.profiles[name]


def refuse_unknown(name: str, known: Iterable[str], path: Path) -> NoReturn:
    """ConfigError for a profile that is not there; it names the near ones."""
    raise ConfigError(
        f"no profile {name} in {path}",
        candidates=near_names(name, known),
        command="spectronctl profiles list",
    )
