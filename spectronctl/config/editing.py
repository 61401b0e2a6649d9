"""The config file changed, without losing what others wrote there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectronctl.config.checking import build_config
from spectronctl.config.fields import Field, find_field
from spectronctl.config.loading import VERSION, holds_secret, parse_toml, read_text
from spectronctl.config.profiles import LOCAL, NAME, NAME_RULE, Config, refuse_unknown
from spectronctl.config.values import parse_named
from spectronctl.errors import ConfigError, UsageError
from spectronctl.ground.disk import NoLocksError, make_directory, remove_drafts, replace_file
from spectronctl.local.locks import hold_lock

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import AbstractTable

_LOCK_SECONDS = 30.0


_Change = Callable[["TOMLDocument"], "TOMLDocument | None"]


def edit_config(path: Path, change: _Change) -> Config:
    """
    Change the config file as it is now, under a lock, in one step: all of the change happens or none.

    Returns what the file says then. `change` alters the document or returns another. Unknown keys, comments, a
    symbolic link, the file's owner, group and mode stay; what could not be read again is not written.
    """
    # The file that a link leads to is replaced, so that a config kept elsewhere by links stays linked.
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():  # a rename would do away with /dev/null
        raise ConfigError(f"{path} is not a regular file; nothing was changed")
    try:
        make_directory(target.parent)
        import tomlkit  # noqa: F401 - slow to import; done before the lock, so that other processes do not wait for it

        with _hold(target):
            remove_drafts(target)
            return _rewrite(target, change, path)
    except TimeoutError:
        raise ConfigError(
            f"{path} is being changed by another process, which holds {target}.lock"
        ) from None
    except OSError as error:
        # The lock and the directory are named too: under sudo either may have become root's.
        where = f" ({error.filename})" if error.filename not in (None, str(path)) else ""
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}{where}; nothing was changed"
        ) from error


@contextmanager
def _hold(target: Path) -> Iterator[None]:
    """Keep other processes from changing the file meanwhile, where its disk has locks."""
    with ExitStack() as stack:
        # Without locks `_rewrite` still sees what another process wrote before it began to replace the file.
        with suppress(NoLocksError):
            stack.enter_context(hold_lock(Path(f"{target}.lock"), timeout=_LOCK_SECONDS))
        yield


def _rewrite(target: Path, change: _Change, path: Path) -> Config:
    """Change the file, which may be changed from elsewhere until the moment it is replaced."""
    while True:
        # An editor knows nothing of the lock. What it saved before this second look is changed again from the start;
        # between the look and the rename a moment is left that nothing closes.
        before = read_text(target)
        after, config = _change_text(before, change, path)
        if read_text(target) == before:
            break
    # Else only the time of the file would change, and a config kept under version control look touched.
    if after != before:
        replace_file(target, after.encode(), like=_find_like(target, after))
    return config


def _find_like(target: Path, after: str) -> os.stat_result | None:
    """Whose the file is to be: the owner's that it has. What holds a secret is open to no one else."""
    import tomllib

    if not target.exists() or (
        target.stat().st_mode & 0o077 and holds_secret(tomllib.loads(after))
    ):
        return None
    return target.stat()


def add_profile(path: Path, name: str, fields: Mapping[str, str], *, use: bool = False) -> Config:
    """Add a profile, its fields as text (dotted keys too); with `use` it becomes the default one."""
    _check_new_name(name)
    return edit_config(path, _make_addition(path, name, fields, use=use))


def _make_addition(path: Path, name: str, fields: Mapping[str, str], *, use: bool) -> _Change:
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

    return change


def rename_profile(path: Path, name: str, new: str) -> Config:
    """Give a profile another name, in the place where it stands; the default one stays the default."""
    _check_new_name(new)

    def change(document: TOMLDocument) -> TOMLDocument:
        import tomlkit

        _find_table(document, name, path)
        if new in document["profiles"]:
            raise ConfigError(f"the profile {new} already exists in {path}")
        expected = document.unwrap()
        expected["profiles"] = {
            new if each == name else each: table for each, table in expected["profiles"].items()
        }
        # In the text: tomlkit would put the table at the end, away from the comment above it.
        renamed = tomlkit.parse(_rename_headers(document.as_string(), name, new))
        # A multi-line string may hold what looks like a header: then the text says something else than it should.
        if renamed.unwrap() != expected:
            raise ValueError("another layout")
        if renamed.get("profile") == name:
            renamed["profile"] = new
        return renamed

    return edit_config(path, change)


def _rename_headers(text: str, name: str, new: str) -> str:
    """The text with another name in `[profiles.NAME]`, `[profiles.NAME.…]` and `profiles.NAME.… =`."""
    bare = [] if "." in name else [re.escape(name)]
    spelled = "|".join([*bare, f'"{re.escape(name)}"', f"'{re.escape(name)}'"])
    pattern = re.compile(rf"^(\s*\[?\s*profiles\s*\.\s*)(?:{spelled})(?=\s*[.=\]])", re.MULTILINE)
    key = f'"{new}"' if "." in new else new
    return pattern.sub(lambda match: match[1] + key, text)


def preview_profile(path: Path, name: str, fields: Mapping[str, str]) -> Config:
    """What the file would say with that profile added; it is not written."""
    _check_new_name(name)
    return _change_text(read_text(path), _make_addition(path, name, fields, use=False), path)[1]


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
            refuse_unknown(name, known, path)
        return _name_default(document, name)

    return edit_config(path, change)


def _change_text(before: str | None, change: _Change, path: Path) -> tuple[str, Config]:
    """The file's new text, proved to say what the document says, and what is read from it."""
    import tomllib

    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = f"version = {VERSION}\n" if before is None else before
    # With the strict parser first: it has the line of an error, and tomlkit takes texts that are no TOML 1.0, such as
    # the escape `\x41`.
    parse_toml(text, path)
    try:
        document = tomlkit.parse(text)
        changed = change(document)
        document = document if changed is None else changed
        after = tomlkit.dumps(document)
        # What tomlkit writes is not always what its document says: behind `profiles.a.url = …`, it puts a new table in
        # front of a `version = 1` that follows, which then stands in that table.
        is_faithful = tomllib.loads(after) == document.unwrap()
    # As tomlkit reports layouts that it cannot extend.
    except (TOMLKitError, ValueError, TypeError, RecursionError):
        is_faithful = False
    if not is_faithful:
        raise ConfigError(
            f"{path} is laid out in a way that cannot be changed here",
            hint="Open the file in an editor and change it there.",
        )
    # Read as at the next start: a value that would be refused then is not written now.
    return after, build_config(tomllib.loads(after), path)


def _check_new_name(name: str) -> None:
    if name == LOCAL:
        raise UsageError(f"{LOCAL} is the built-in profile; give yours another name")
    if not NAME.fullmatch(name):
        raise UsageError(f"{NAME_RULE}, not {name!r}")


def _open_table(parent: AbstractTable | TOMLDocument, key: str) -> Any:
    import tomlkit

    if key not in parent:
        # A super table writes no header of its own: no empty `[profiles]` above `[profiles.prod]`.
        parent[key] = tomlkit.table(is_super_table=True)
    return parent[key]


def _find_table(document: TOMLDocument, name: str, path: Path) -> Any:
    if name == LOCAL:
        raise UsageError(f"{LOCAL} is the built-in profile; it has nothing to set or remove")
    profiles: Any = document.get("profiles", {})
    if name not in profiles:
        refuse_unknown(name, list(profiles), path)
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
    if not _has_utf8(text):
        raise UsageError(
            f"{key}: the value is not UTF-8, and the config file can hold no other text"
        )
    value = parse_named(spec.parse, text, key)
    if context:
        table = _open_table(_open_table(table, "context_keys"), context)
    table[name] = _as_toml(spec, value, text)


def _has_utf8(text: str) -> bool:
    # Words of the command line that are not UTF-8 come as lone surrogates, and TOML has no bytes.
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _as_toml(spec: Field, value: Any, text: str) -> str | int:
    if spec.is_path:
        # Typed paths start where the command runs; in the file, a relative one would start where the file is.
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
        # Without its last field the table would stand there as an empty header.
        if not keys[context]:
            del keys[context]
