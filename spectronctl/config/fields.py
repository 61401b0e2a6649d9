"""What a profile may hold: one row per field, the same for reading the file and for changing it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spectronctl.config.credentials import Kind, check_secret
from spectronctl.config.values import (
    near_names,
    parse_auth_header,
    parse_bool,
    parse_proxy,
    parse_retries,
    parse_text,
    parse_timeout,
    parse_url,
)
from spectronctl.errors import ConfigError, UsageError


@dataclass(frozen=True)
class Field:
    """How one value stands in the file: as which TOML types, in words, and what its text must be."""

    types: tuple[type, ...]
    needs: str
    parse: Callable[[str], Any]
    is_path: bool = False
    is_secret: bool = False


def _text(parse: Callable[[str], Any], *, is_path: bool = False, is_secret: bool = False) -> Field:
    return Field((str,), "a string", parse, is_path, is_secret)


def _parse_command(text: str) -> tuple[str, ...]:
    try:
        argv = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"not a command: {error}") from None
    if not argv or not argv[0]:
        raise UsageError("a command is needed, not an empty one")
    return argv


def _parse_variable(text: str) -> str:
    """A variable's name; a key put here by mistake is not repeated."""
    # Keys have hyphens, so that one pasted here is never taken for a name.
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise UsageError("the name of an environment variable is needed")
    return text


def _parse_key(text: str) -> str:
    try:
        return check_secret(text, "this field")
    except ConfigError as error:
        raise UsageError(error.message, hint=error.hint) from None


FIELDS = {
    "url": _text(parse_url),
    "context": _text(parse_text),
    "auth_header": _text(parse_auth_header),
    "protected": Field((bool,), "true or false", parse_bool),
    "ca_file": _text(parse_text, is_path=True),
    "proxy": _text(parse_proxy),
    "timeout": Field((str, int, float), 'a duration such as "30s"', parse_timeout),
    "retries": Field((int,), "a whole number", parse_retries),
}

CREDENTIAL_FIELDS: dict[str, tuple[Kind, Field]] = {
    "api_key_env": ("env", _text(_parse_variable)),
    "api_key_file": ("file", _text(parse_text, is_path=True)),
    # As text it is split into words by a shell's rules; as a list the words are taken as they are. No shell runs it.
    "api_key_command": (
        "command",
        Field((str, list), "a command", _parse_command),
    ),
    "api_key": ("literal", _text(_parse_key, is_secret=True)),
}


def find_field(key: str) -> tuple[str | None, str, Field]:
    """The context id if any, the field's name and its row for `FIELD` or `context_keys.CONTEXT.FIELD`."""
    secrets = {name: row for name, (_, row) in CREDENTIAL_FIELDS.items()}
    fields = FIELDS | secrets
    if key in fields:
        return None, key, fields[key]
    section, _, rest = key.partition(".")
    # From the right, as the field is the last part, whatever a context is called.
    context, _, name = rest.rpartition(".")
    if section == "context_keys" and context and name in secrets:
        return context, name, secrets[name]
    raise UsageError(
        f"a profile has no field {key}",
        hint=f"The fields are {', '.join(fields)}, and context_keys.CONTEXT.F with F one of {', '.join(secrets)}.",
        candidates=near_names(key, fields),
    )
