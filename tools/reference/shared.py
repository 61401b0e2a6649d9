"""What holds for every command: global options, where their values come from, exit codes, files."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from spectronctl import errors
from spectronctl.cli._tree import describe_flags
from spectronctl.cli._typer import global_params
from spectronctl.config.fields import CREDENTIAL_FIELDS
from spectronctl.config.resolve import SETTINGS, Source
from spectronctl.config.variables import MANAGEMENT_KEY_VARIABLES
from spectronctl.local import locations
from tools.reference.pages import TELLS_BY_CODE, Entry, Page, read_options

_HOME = "/home/you"

HELP = Entry(("--help",), "Show the help of the command and exit.")

VARIABLES = {
    ("SPECTRON_API_KEY",): "The key of a context, for what is done inside it.",
    ("SPECTRONCTL_HOME",): "One directory for all the files below, in place of those.",
    ("SPECTRONCTL_CONFIG",): "The config file.",
    ("SPECTRONCTL_LOCAL_STORE",): "The store of `--profile local`, a path or a URL.",
    (
        "SPECTRONCTL_STORE_USER",
        "SPECTRONCTL_STORE_PASSWORD",
    ): "Who signs in to a store at a `ws://` URL.",
    ("SPECTRON_SECRET_KEY",): "What a store seals the keys of providers with: 32 bytes in base64.",
    ("NO_COLOR", "FORCE_COLOR"): "No colour, or colour everywhere, unless `--color` decides.",
    ("TERM",): "`dumb` is a terminal without colour.",
    ("COLUMNS",): "The width of the terminal.",
    ("CI",): "Treat the session as not interactive, and draw plain tables.",
    ("SPECTRONCTL_PAGER", "PAGER"): "What shows long text at a terminal; empty or `cat` for none.",
    ("VISUAL", "EDITOR"): "The editor that 'spectronctl ontology edit' opens.",
    (
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ): "The proxy to go through, unless the profile names one.",
    (
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
    ): "Where the files below are, in place of `~/.config` and the like.",
    (
        "SPECTRONCTL_KEY_NAME",
        "SPECTRONCTL_KEY_ID",
        "SPECTRONCTL_CONTEXT",
    ): "Told to the program of `--secret-command`: whose secret it reads.",
    (
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
    ): "Set by systemd: where 'spectronctl serve' says that it is ready and alive, and how often.",
}
"""Variables that are no option's twin, by what they are for."""


@dataclass(frozen=True)
class Setting:
    """A value that comes from an option, a variable, a field of the profile or a default; the first that is there."""

    entry: Entry | None
    name: str
    env: tuple[str, ...]
    fields: tuple[str, ...]
    default: str
    meaning: str


@dataclass(frozen=True)
class Ending:
    """An exit code, the kinds of failure that end in it, and what it says."""

    code: int
    kinds: tuple[str, ...]
    meaning: str


def parse_settings(pages: list[Page]) -> list[Setting]:
    """The global options in their order, then what only a variable or a profile can say."""
    rows = {row.flag: row for row in SETTINGS if row.flag}
    entries = [*read_options(describe_flags(global_params())), HELP]
    told = {
        name: option.meaning for page in pages for option in page.options for name in option.names
    }
    return [
        *(_read_option(entry, rows.get(entry.names[-1])) for entry in entries),
        *(_read_silent(row, told) for row in SETTINGS if row.flag is None),
    ]


def _read_option(entry: Entry, row: Source | None) -> Setting:
    name = entry.names[-1]
    env, fields = _find_key_sources(name)
    if row is not None:
        env, fields = row.env, (row.field,) if row.field else ()
    default = _format_default(row.default) if row is not None else ""
    return Setting(entry, name, env, fields, default, entry.meaning)


def _find_key_sources(option: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The twins of the two options that give a key: a file that holds it, or the key itself."""
    if option not in {"--api-key", "--api-key-file"}:
        return (), ()
    is_file = option == "--api-key-file"
    env = (name for name in MANAGEMENT_KEY_VARIABLES if name.endswith("_FILE") == is_file)
    fields = (name for name in CREDENTIAL_FIELDS if name.endswith("_file") == is_file)
    return tuple(env), tuple(fields)


def _read_silent(row: Source, told: dict[str, str]) -> Setting:
    """What `profiles add` says of it."""
    meaning = told[f"--{row.name.replace('_', '-')}"]
    fields = (row.field,) if row.field else ()
    return Setting(None, row.name, row.env, fields, _format_default(row.default), meaning)


def _format_default(value: Any) -> str:
    if value is None or value is False:
        return ""
    return f"{value:g}s" if isinstance(value, float) else str(value)


def read_endings() -> list[Ending]:
    """Every exit code: of success, of each failure in `errors`, and of what is neither."""
    failures: dict[int, list[type[errors.SpectronctlError]]] = {}
    for error in _list_errors(errors.SpectronctlError):
        if error is not errors.RequestError:
            failures.setdefault(error.exit_code, []).append(error)
    asking = " or ".join(f"`{option}`" for option in TELLS_BY_CODE)
    endings = [
        Ending(0, (), "Done; an empty list too."),
        *(_read_ending(code, found) for code, found in failures.items()),
        Ending(errors.FOUND, (), f"Differences or findings, where {asking} asks for that."),
        Ending(errors.INTERRUPTED, (), "Interrupted."),
    ]
    return sorted(endings, key=lambda ending: ending.code)


def _list_errors(
    error: type[errors.SpectronctlError],
) -> Iterator[type[errors.SpectronctlError]]:
    yield error
    for below in error.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _list_errors(below)


def _read_ending(code: int, found: list[type[errors.SpectronctlError]]) -> Ending:
    if errors.SpectronctlError in found:
        return Ending(code, _kinds(found), "Declined, or a failure that has no code of its own.")
    return Ending(code, _kinds(found), " ".join(inspect.getdoc(error) or "" for error in found))


def _kinds(found: list[type[errors.SpectronctlError]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(error.kind for error in found))


def read_files() -> dict[str, str]:
    """Where things are kept, with nothing but a home directory in the environment."""
    env = {"HOME": _HOME}
    places = {
        str(locations.config_path(env)): "Profiles; 'spectronctl profiles' keeps it.",
        locations.local_store_url(env).partition("://")[2]: "The store of `--profile local`.",
        f"{locations.state_dir(env)}/": "Journals of rotations, which 'spectronctl keys rotations' reads.",
        f"{locations.cache_dir(env)}/": "Names seen before, for completion; may be deleted.",
    }
    return {path.replace(_HOME, "~", 1): meaning for path, meaning in places.items()}
