"""The config file: profiles read, checked, and changed without losing what others wrote there."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from spectronctl.config.credentials import Credential
from spectronctl.config.fields import CREDENTIAL_FIELDS, FIELDS, Field, find_field
from spectronctl.config.values import has_userinfo, near_names, parse_named
from spectronctl.errors import ConfigError, UsageError
from spectronctl.ground.disk import remove_drafts, replace_file
from spectronctl.local.locks import hold_lock

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import AbstractTable

LOCAL = "local"
LOCAL_URL = "http://local.invalid"
"""Where the embedded server seems to be: a name that no resolver may ever resolve (RFC 2606)."""

_VERSION = 1
_LOCK_SECONDS = 30.0
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NAME_RULE = "a profile's name is made of letters, digits, '.', '_' and '-'"


@dataclass(frozen=True)
class Profile:
    """One `[profiles.NAME]`: None where the file is silent; `timeout` in seconds, `context_keys` by context id."""

    name: str
    url: str | None = None
    context: str | None = None
    auth_header: str | None = None
    protected: bool | None = None
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)
    timeout: float | None = None
    retries: int | None = None
    credential: Credential | None = None
    context_keys: Mapping[str, Credential] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """What the config file says; a missing file says nothing."""

    path: Path
    profile: str | None = None
    profiles: Mapping[str, Profile] = field(default_factory=dict)


def load_config(path: Path) -> Config:
    """The config file, checked; ConfigError names the file and the line or field that is wrong."""
    text = _read_text(path)
    return Config(path) if text is None else _build_config(_parse_toml(text, path), path)


def find_profile(config: Config, name: str) -> Profile:
    """The profile of that name, the built-in `local` included; ConfigError names the near ones."""
    if name == LOCAL:
        return Profile(LOCAL, url=LOCAL_URL)
    if name not in config.profiles:
        _refuse_unknown(name, [*config.profiles, LOCAL], config.path)
    return config.profiles[name]


def edit_config(path: Path, change: Callable[[TOMLDocument], TOMLDocument | None]) -> Config:
    """
    Change the config file as it is now, under a lock, in one step: all of the change happens or none.

    Returns what the file says then.

    `change` alters the document or returns another. Unknown keys, comments and a symbolic link stay; what could not
    be read again is not written.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():  # a rename would do away with /dev/null
        raise ConfigError(f"{path} is not a regular file; nothing was changed")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        import tomlkit  # noqa: F401 - slow to import; done before the lock, so that other processes do not wait for it

        with hold_lock(Path(f"{target}.lock"), timeout=_LOCK_SECONDS):
            remove_drafts(target)
            before = _read_text(path)
            after, config = _change_text(before, change, path)
            if after != before:
                replace_file(target, after.encode())
        return config
    except TimeoutError:
        raise ConfigError(
            f"{path} is being changed by another process, which holds {target}.lock"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}; nothing was changed"
        ) from error


def add_profile(path: Path, name: str, fields: Mapping[str, str], *, use: bool = False) -> Config:
    """Add a profile, its fields as text (dotted keys too); with `use` it becomes the default one."""
    _check_new_name(name)

    def change(document: TOMLDocument) -> TOMLDocument:
        import tomlkit

        profiles = _open_table(document, "profiles")
        if name in profiles:
            raise ConfigError(
                f"the profile {name} already exists in {path}",
                command=f"spectronctl profiles set {name} KEY VALUE",
            )
        profiles[name] = tomlkit.table()
        for key, text in fields.items():
            _put(profiles[name], key, text)
        return _name_default(document, name) if use else document

    return edit_config(path, change)


def remove_profile(path: Path, name: str) -> None:
    """Remove a profile; when it was the default one, there is none afterwards."""

    def change(document: TOMLDocument) -> None:
        _find_table(document, name, path)
        profiles = document["profiles"]
        del profiles[name]
        if not profiles:  # tomlkit writes nothing for it, and reads that as a difference
            del document["profiles"]
        if document.get("profile") == name:
            del document["profile"]

    edit_config(path, change)


def set_value(path: Path, profile: str, key: str, text: str) -> Config:
    """Set `FIELD` or `context_keys.CONTEXT.FIELD` of a profile; a relative path is kept as an absolute one."""
    return edit_config(path, lambda document: _put(_find_table(document, profile, path), key, text))


def unset_value(path: Path, profile: str, key: str) -> Config:
    """Take a value out of a profile; one that is not there is no error."""
    return edit_config(path, lambda document: _drop(_find_table(document, profile, path), key))


def use_profile(path: Path, name: str) -> Config:
    """Make a profile the default one; `local` can be."""

    def change(document: TOMLDocument) -> TOMLDocument:
        known = [*document.get("profiles", {}), LOCAL]
        if name not in known:
            _refuse_unknown(name, known, path)
        return _name_default(document, name)

    return edit_config(path, change)


def _read_text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            text, mode = file.read().decode(), os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a text file in UTF-8") from None
    if os.name == "posix" and mode & 0o077:
        _check_shared(text, path)
    return text


def _parse_toml(text: str, path: Path) -> dict[str, Any]:
    import tomllib

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        last = f"at line {text.count(chr(10)) + 1}, the end of the file"
        problem = str(error).replace("at end of document", last)
        raise ConfigError(f"{path} is not valid TOML: {problem}") from None
    _check_version(data.get("version", _VERSION), path)
    return data


def _check_version(version: object, path: Path) -> None:
    if type(version) is not int or version < 1:
        _refuse_value(path, "version", "a whole number from 1", version)
    if version > _VERSION:
        raise ConfigError(
            f"{path} has version {version}; this spectronctl knows version {_VERSION}",
            hint="A newer spectronctl wrote it: upgrade, or name another file with SPECTRONCTL_CONFIG.",
        )


def _check_shared(text: str, path: Path) -> None:
    """What others can read must hold no secret."""
    if _holds_secret(_parse_toml(text, path)):
        raise ConfigError(
            f"{path} holds a secret and others can read it",
            hint="Make the file yours alone, and think about replacing the key.",
            command=f"chmod 600 {shlex.quote(str(path))}",
        )


def _holds_secret(value: object) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get("api_key"), str) or any(map(_holds_secret, value.values()))
    if isinstance(value, list):
        return any(map(_holds_secret, value))
    return isinstance(value, str) and has_userinfo(value)


def _build_config(data: dict[str, Any], path: Path) -> Config:
    chosen = data.get("profile")
    if chosen is not None and not isinstance(chosen, str):
        _refuse_value(path, "profile", "a string", chosen)
    tables = _check_table(data.get("profiles", {}), path, "profiles")
    return Config(path, chosen, {name: _build_profile(name, tables[name], path) for name in tables})


def _build_profile(name: str, raw: object, path: Path) -> Profile:
    where = f"profiles.{name}"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{path}: {where}: {_NAME_RULE}")
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
    if type(raw) not in spec.types:
        _refuse_value(path, where, spec.needs, None if spec.is_secret else raw)
    if isinstance(raw, list):
        return _check_argv(raw, path, where)
    try:
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
        _refuse_value(path, where, "a table", None)
    return raw


def _refuse_value(path: Path, where: str, needs: str, got: object) -> NoReturn:
    shown = isinstance(got, str | int | float)
    raise ConfigError(f"{path}: {where}: {needs} is needed" + (f", not {got!r}" if shown else ""))


def _anchor(value: str, path: Path) -> str:
    """A relative path in the file starts where the file is, not where the command happens to run."""
    return value if value.startswith("~") else os.path.join(path.absolute().parent, value)


def _refuse_unknown(name: str, known: list[str], path: Path) -> NoReturn:
    raise ConfigError(
        f"no profile {name} in {path}",
        candidates=near_names(name, known),
        command="spectronctl profiles list",
    )


def _change_text(
    before: str | None, change: Callable[[TOMLDocument], TOMLDocument | None], path: Path
) -> tuple[str, Config]:
    """The file's new text, proved to say what the document says, and what is read from it."""
    import tomllib

    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = f"version = {_VERSION}\n" if before is None else before
    _parse_toml(text, path)
    try:
        document = tomlkit.parse(text)
        changed = change(document)
        document = document if changed is None else changed
        after = tomlkit.dumps(document)
        is_faithful = tomllib.loads(after) == document.unwrap()
    except (
        TOMLKitError,
        ValueError,
        TypeError,
    ):  # as tomlkit reports layouts that it cannot extend
        is_faithful = False
    if not is_faithful:
        raise ConfigError(
            f"{path} is laid out in a way that cannot be changed here",
            hint="Open the file in an editor and change it there.",
        )
    return after, _build_config(tomllib.loads(after), path)


def _check_new_name(name: str) -> None:
    if name == LOCAL:
        raise UsageError(f"{LOCAL} is the built-in profile; give yours another name")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{_NAME_RULE}, not {name!r}")


def _open_table(parent: AbstractTable | TOMLDocument, key: str) -> Any:
    import tomlkit

    if key not in parent:
        parent[key] = tomlkit.table(is_super_table=True)
    return parent[key]


def _find_table(document: TOMLDocument, name: str, path: Path) -> Any:
    if name == LOCAL:
        raise UsageError(f"{LOCAL} is the built-in profile; it has nothing to set or remove")
    profiles: Any = document.get("profiles", {})
    if name not in profiles:
        _refuse_unknown(name, list(profiles), path)
    return profiles[name]


def _name_default(document: TOMLDocument, name: str) -> TOMLDocument:
    import tomlkit

    if "profile" in document:
        document["profile"] = name
        return document
    # At the very top, since tomlkit would put it between a profile and the comment above that profile.
    return tomlkit.parse(f'profile = "{name}"\n{document.as_string()}')


def _put(table: Any, key: str, text: str) -> None:
    context, name, spec = find_field(key)
    value = parse_named(spec.parse, text, key)
    if context:
        table = _open_table(_open_table(table, "context_keys"), context)
    table[name] = _as_toml(spec, value, text)


def _as_toml(spec: Field, value: Any, text: str) -> str | int:
    if spec.is_path:
        return text if text.startswith("~") else os.path.abspath(text)
    # A duration or a command stays as it was typed.
    return value if type(value) in spec.types and isinstance(value, str | int) else text


def _drop(table: Any, key: str) -> None:
    context, name, _ = find_field(key)
    if not context:
        table.pop(name, None)
    elif context in table.get("context_keys", {}):
        keys = table["context_keys"]
        keys[context].pop(name, None)
        if not keys[context]:
            del keys[context]
