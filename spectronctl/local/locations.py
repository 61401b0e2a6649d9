"""Where spectronctl keeps its files, decided by the environment it is given and nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from spectronctl.errors import ConfigError

_APP = "spectronctl"

_XDG = {
    "config": ("XDG_CONFIG_HOME", ".config"),
    "data": ("XDG_DATA_HOME", ".local/share"),
    "state": ("XDG_STATE_HOME", ".local/state"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
}


class NoHomeError(ConfigError):
    """Nothing says where this user's files are kept."""


def config_path(env: Mapping[str, str]) -> Path:
    """The config file: `SPECTRONCTL_CONFIG`, else `config.toml` in the user's config directory."""
    if chosen := env.get("SPECTRONCTL_CONFIG"):
        return Path(expand_home(chosen, env))
    return _user_dir("config", env) / "config.toml"


# Containers run under user ids without a home directory: there, flags and variables have to be enough.
def find_config_path(env: Mapping[str, str]) -> Path:
    """The config file to read: an empty one for a user without a home directory, who can have none."""
    try:
        return config_path(env)
    except NoHomeError:
        return Path(os.devnull)


def local_store_url(env: Mapping[str, str]) -> str:
    """The embedded server's store: `SPECTRONCTL_LOCAL_STORE` (a path or a store URL), else a user's own file."""
    chosen = env.get("SPECTRONCTL_LOCAL_STORE") or str(_user_dir("data", env) / "local")
    if "://" in chosen:
        return chosen
    # Absolute, so that what is printed of it means the same in another directory.
    return f"surrealkv://{os.path.abspath(expand_home(chosen, env))}"


def state_dir(env: Mapping[str, str]) -> Path:
    """Where journals and other things worth keeping between runs go."""
    return _user_dir("state", env)


def cache_dir(env: Mapping[str, str]) -> Path:
    """Where things that may vanish at any time go."""
    return _user_dir("cache", env)


# `~name/` stays as it is: that home is known to the account database only, and all else here is decided by `env`.
def expand_home(path: str, env: Mapping[str, str]) -> str:
    """A leading `~/` becomes the home directory, as a shell would have done."""
    home = env.get("HOME")
    if home and (path == "~" or path.startswith("~/")):
        return home + path[1:]
    return path


def _user_dir(kind: str, env: Mapping[str, str]) -> Path:
    """
    Below `SPECTRONCTL_HOME` when that is set, else in the XDG layout, on macOS too.

    A relative XDG variable is ignored, as that specification asks.
    """
    if chosen := env.get("SPECTRONCTL_HOME"):
        return Path(os.path.abspath(expand_home(chosen, env))) / kind
    variable, below_home = _XDG[kind]
    chosen = env.get(variable, "")
    # Also false for an empty variable, which the specification takes for one that is not set.
    if os.path.isabs(chosen):
        return Path(chosen) / _APP
    if os.name == "posix":
        return Path(_find_home(env, kind)) / below_home / _APP
    # Only where it is needed: on every other system TAB would wait for its import.
    from platformdirs import PlatformDirs

    return Path(str(getattr(PlatformDirs(_APP, appauthor=False), f"user_{kind}_dir")))


def _find_home(env: Mapping[str, str], kind: str) -> str:
    """
    HOME, or the account's directory where that is not set or empty, as in a bare service; NoHomeError.

    Not `expanduser`: it takes an empty HOME for `/`.
    """
    import pwd

    if home := env.get("HOME"):
        return home
    with suppress(KeyError):  # containers run under user ids that no account has
        if home := pwd.getpwuid(os.getuid()).pw_dir:
            return home
    raise NoHomeError(
        f"there is no home directory for the {kind} files: HOME is not set, and user {os.getuid()} has no account",
        hint="Set HOME, or SPECTRONCTL_HOME to a directory for everything that spectronctl keeps.",
    )
