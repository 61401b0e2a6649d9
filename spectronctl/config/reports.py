"""What of the configuration may leave this machine, in a report for others: no secret, wherever it was put."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from spectronctl.config.credentials import digest
from spectronctl.config.fields import CREDENTIAL_FIELDS, FIELDS
from spectronctl.config.resolve import SETTINGS
from spectronctl.config.values import hide_userinfo
from spectronctl.errors import UsageError

HIDDEN = "[hidden]"

_ADDRESS_END = re.compile(r"(://[^\s'\"?#]*)[?#][^\s'\"]*")
_PARSERS = {name: row.parse for row in SETTINGS if row.name != "proxy" for name in row.env}
# By name, and nothing else of the environment: what a variable may hold that is not known here cannot be judged.
_SHOWN = (
    *("SPECTRONCTL_HOME", "SPECTRONCTL_CONFIG", "SPECTRONCTL_LOCAL_STORE"),
    *(f"XDG_{kind}_HOME" for kind in ("CONFIG", "DATA", "STATE", "CACHE")),
    *("NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("CI", "TERM", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "LANG", "LC_ALL"),
)
_NAMED = (
    *("SPECTRONCTL_PROXY", "SPECTRONCTL_STORE_USER", "VISUAL", "EDITOR"),
    *(spell(f"{kind}_proxy") for kind in ("http", "https", "all") for spell in (str, str.upper)),
)


def describe_config(path: Path) -> dict[str, Any] | None:
    """The config file's values, where they are of a field we know and no secret; None for one that cannot be read."""
    import tomllib

    with suppress(OSError, ValueError, RecursionError):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        # From the raw TOML and not from `load_config`: a report is wanted most where the file is refused.
        return {name: _describe_top(name, value) for name, value in data.items()}
    return None


def _describe_top(name: str, value: Any) -> Any:
    if name == "profiles" and isinstance(value, dict):
        return {profile: _describe_table(table) for profile, table in value.items()}
    return value if name in {"version", "profile"} else HIDDEN


def _describe_table(table: Any) -> Any:
    """A profile, or one of its context keys."""
    if not isinstance(table, dict):
        return HIDDEN
    return {name: _describe_field(name, value) for name, value in table.items()}


def _describe_field(name: str, value: Any) -> Any:
    if name == "context_keys" and isinstance(value, dict):
        return {context: _describe_table(kept) for context, kept in value.items()}
    # A digest tells whether two machines have the same key, and says no part of it.
    if name == "api_key" and isinstance(value, str):
        return digest(value)
    # Not `api_key_command`: a token is often among its words.
    known = FIELDS | {kept: CREDENTIAL_FIELDS[kept][1] for kept in ("api_key_env", "api_key_file")}
    if name not in known or isinstance(value, list | dict):
        return HIDDEN
    return _show(value, known[name].parse) if isinstance(value, str) else value


def _show(text: str, parse: Callable[[str], Any]) -> str:
    """A value that is of its kind; anything else could be a key in the wrong place."""
    try:
        parse(text)
    except UsageError:
        return HIDDEN
    return clean_address(text)


def describe_environment(
    env: Mapping[str, str], key_variables: frozenset[str]
) -> dict[str, str | None]:
    """The variables that are set and that we read; None in place of a value that is, or may hold, a secret."""
    settings = {name: _show(env[name], parse) for name, parse in _PARSERS.items() if env.get(name)}
    shown = {name: clean_address(env[name]) for name in _SHOWN if env.get(name)}
    named = (name for name in sorted({*_NAMED, *key_variables}) if env.get(name))
    return {**settings, **shown, **dict.fromkeys(named)}


def clean_address(text: str) -> str:
    """The text without what an address in it may hold besides the place: name and password, query, fragment."""
    return _ADDRESS_END.sub(r"\1?…", hide_userinfo(text))
