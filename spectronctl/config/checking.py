"""What TOML holds made into profiles; each complaint names the field."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from spectronctl.config.credentials import Credential
from spectronctl.config.fields import CREDENTIAL_FIELDS, FIELDS, Field
from spectronctl.config.profiles import LOCAL, NAME, NAME_RULE, Config, Profile
from spectronctl.config.values import near_names, parse_named
from spectronctl.errors import ConfigError, UsageError

_TOP = ("version", "profile", "profiles")
_OF_PROFILE = (*FIELDS, *CREDENTIAL_FIELDS, "context_keys")


def build_config(data: dict[str, Any], path: Path) -> Config:
    """The file's values, checked; ConfigError names the field."""
    chosen = data.get("profile")
    if chosen is not None and not isinstance(chosen, str):
        refuse_value(path, "profile", "a string", chosen)
    tables = _check_table(data.get("profiles", {}), path, "profiles")
    profiles = {name: _build_profile(name, tables[name], path) for name in tables}
    # Last: it walks tables without looking at their types, which `_build_profile` has checked by now.
    return Config(path, chosen, profiles, tuple(_find_ignored(data, path)))


def _find_ignored(data: dict[str, Any], path: Path) -> Iterator[str]:
    """
    The fields that are no field of ours; ConfigError for one that comes near one.

    A misspelled `protected` would leave a server unprotected. What comes near nothing may be a newer version's.
    """
    for where, table, names in _walk(data):
        for name in table:
            if name not in names:
                _check_no_slip(f"{where}{name}", name, names, path)
                yield f"{where}{name}"


def _walk(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], tuple[str, ...]]]:
    """Every table of the file: what its fields are called in full, the table, and what may stand there."""
    yield "", data, _TOP
    for name, profile in data.get("profiles", {}).items():
        yield f"profiles.{name}.", profile, _OF_PROFILE
        for context, kept in profile.get("context_keys", {}).items():
            yield f"profiles.{name}.context_keys.{context}.", kept, tuple(CREDENTIAL_FIELDS)


def _check_no_slip(where: str, name: str, names: tuple[str, ...], path: Path) -> None:
    near = near_names(name.lower().replace("-", "_"), names)
    # `url = …` above all tables: the field is known, and the table around it was forgotten.
    if not near and names is _TOP:
        near = [f"profiles.NAME.{field}" for field in near_names(name.lower(), _OF_PROFILE)]
    if near:
        raise ConfigError(
            f"{path}: {where}: there is no such field",
            hint="Correct its name in the file, or remove the line.",
            candidates=near,
        )


def _build_profile(name: str, raw: object, path: Path) -> Profile:
    where = f"profiles.{name}"
    if not NAME.fullmatch(name):
        raise ConfigError(f"{path}: {where}: {NAME_RULE}")
    if name == LOCAL:
        raise ConfigError(f"{path}: {where}: this name is built in; call the profile otherwise")
    table = _check_table(raw, path, where)
    values = {key: _parse_field(table, key, path, where) for key in FIELDS if key in table}
    keys = _check_table(table.get("context_keys", {}), path, f"{where}.context_keys")
    return Profile(
        name,
        credential=_parse_credential(table, path, where, f"profile {name}, "),
        context_keys=_parse_context_keys(keys, path, name),
        **values,
    )


def _parse_context_keys(keys: dict[str, Any], path: Path, name: str) -> dict[str, Credential]:
    found = {}
    for context, raw in keys.items():
        where = f"profiles.{name}.context_keys.{context}"
        source = f"profile {name}, context_keys.{context}."
        credential = _parse_credential(_check_table(raw, path, where), path, where, source)
        if credential:
            found[context] = credential
    return found


def _parse_field(table: dict[str, Any], key: str, path: Path, where: str) -> Any:
    spec = FIELDS[key]
    value = _check_value(table[key], spec, path, f"{where}.{key}")
    return _anchor(value, path) if spec.is_path else value


def _parse_credential(
    table: dict[str, Any], path: Path, where: str, source: str
) -> Credential | None:
    # In the file no order of precedence: which of two keys is sent must not hang on one that a reader would have to
    # know.
    given = [key for key in CREDENTIAL_FIELDS if key in table]
    if len(given) > 1:
        raise ConfigError(
            f"{path}: {where}: {' and '.join(given)} are both given",
            hint="A key comes from one place: `spectronctl profiles unset` takes the other one out.",
        )
    if not given:
        return None
    kind, spec = CREDENTIAL_FIELDS[given[0]]
    value = _check_value(table[given[0]], spec, path, f"{where}.{given[0]}")
    return Credential(kind, source + given[0], _anchor(value, path) if spec.is_path else value)


def _check_value(raw: Any, spec: Field, path: Path, where: str) -> Any:
    # Not isinstance: for that, `retries = true` would be the number 1.
    if type(raw) not in spec.types:
        refuse_value(path, where, spec.needs, None if spec.is_secret else raw)
    if isinstance(raw, list):
        return _check_argv(raw, path, where)
    try:
        # A bare number for a duration comes as far as its parser, whose message says which units it may have.
        return parse_named(spec.parse, str(raw), where)
    except UsageError as error:
        raise ConfigError(
            f"{path}: {error.message}", hint=error.hint, candidates=error.candidates
        ) from None


def _check_argv(raw: list[Any], path: Path, where: str) -> tuple[str, ...]:
    if not raw or not raw[0] or not all(isinstance(word, str) for word in raw):
        raise ConfigError(f"{path}: {where}: a program and its arguments are needed, all strings")
    return tuple(raw)


def _check_table(raw: object, path: Path, where: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        refuse_value(path, where, "a table", None)
    return raw


def refuse_value(path: Path, where: str, needs: str, got: object) -> NoReturn:
    """ConfigError that says what is needed in place of what stands there."""
    shown = isinstance(got, str | int | float)
    raise ConfigError(f"{path}: {where}: {needs} is needed" + (f", not {got!r}" if shown else ""))


def _anchor(value: str, path: Path) -> str:
    """A relative path in the file starts where the file is, not where the command happens to run."""
    return value if value.startswith("~") else os.path.join(path.absolute().parent, value)
