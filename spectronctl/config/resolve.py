"""
Which value counts: flag, then environment, then profile, then default.

Three cases that the sentence leaves open are decided here:

- `local` has no URL to override; the profile itself says where to go, as `--url` does. So it counts in the layer that
  chose it: `--profile local` is a flag and beats an ambient SPECTRON_URL, but not `--url`; chosen by a variable or by
  the config file it gives way to a URL from the environment, and the settings are no longer local.
- A named profile's url or context that a variable overrides, although the profile was asked for by `--profile` or
  SPECTRONCTL_PROFILE, is said in `Settings.notes`: the letter is kept, and the person notices.
- A profile's keys belong to the profile's server (scheme, host and port). Where the URL was overridden with another
  one they are not sent: another key is taken, or AuthError says why there is none. The embedded server gets no key
  but one from the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from spectronctl.config.credentials import Credential, file_credential
from spectronctl.config.profiles import LOCAL, Config, Profile, find_profile
from spectronctl.config.values import (
    hide_userinfo,
    origin,
    parse_auth_header,
    parse_bool,
    parse_color,
    parse_columns,
    parse_limit,
    parse_name,
    parse_named,
    parse_output,
    parse_proxy,
    parse_retries,
    parse_text,
    parse_timeout,
    parse_url,
)
from spectronctl.config.variables import (
    CONTEXT_KEY_VARIABLES,
    KEY_VARIABLES,
    MANAGEMENT_KEY_VARIABLES,
)
from spectronctl.errors import AuthError, UsageError
from spectronctl.ground.vocabulary import AuthHeader, Color
from spectronctl.local.locations import expand_home

DEFAULT_URL = "http://localhost:9090"

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class Setting(Generic[T]):
    """A value and the layer that won: `--url`, `SPECTRON_URL`, `profile prod`, `config file` or `default`."""

    value: T
    source: str

    @property
    def shown(self) -> object:
        """The value as it may be printed: a proxy's password is not."""
        return hide_userinfo(self.value) if isinstance(self.value, str) else self.value

    def __repr__(self) -> str:
        return f"Setting({self.shown!r}, {self.source!r})"


@dataclass(frozen=True)
class Source:
    """One row of the table: where a setting may come from; `env` in order of precedence."""

    name: str
    parse: Callable[[str], Any]
    env: tuple[str, ...] = ()
    flag: str | None = None
    field: str | None = None
    default: Any = None


SETTINGS = (
    Source("profile", parse_name, ("SPECTRONCTL_PROFILE",), "--profile"),
    Source(
        "url",
        parse_url,
        ("SPECTRONCTL_URL", "SPECTRON_URL", "SPECTRON_MANAGEMENT_URL", "SPECTRON_SERVER"),
        "--url",
        "url",
        DEFAULT_URL,
    ),
    Source(
        "context",
        parse_name,
        ("SPECTRONCTL_CONTEXT", "SPECTRON_CONTEXT_ID"),
        "--context",
        "context",
    ),
    Source("output", parse_output, ("SPECTRONCTL_OUTPUT",), "--output", default="table"),
    Source("query", parse_text, ("SPECTRONCTL_QUERY",), "--query"),
    Source("columns", parse_columns, ("SPECTRONCTL_COLUMNS",), "--columns"),
    Source("sort", parse_text, ("SPECTRONCTL_SORT",), "--sort"),
    Source("limit", parse_limit, ("SPECTRONCTL_LIMIT",), "--limit"),
    Source("no_header", parse_bool, ("SPECTRONCTL_NO_HEADER",), "--no-header", default=False),
    Source("quiet", parse_bool, ("SPECTRONCTL_QUIET",), "--quiet", default=False),
    Source("yes", parse_bool, ("SPECTRONCTL_YES",), "--yes", default=False),
    Source("no_input", parse_bool, ("SPECTRONCTL_NO_INPUT",), "--no-input", default=False),
    Source("color", parse_color, ("SPECTRONCTL_COLOR",), "--color", default="auto"),
    Source("timeout", parse_timeout, ("SPECTRONCTL_TIMEOUT",), "--timeout", "timeout", 30.0),
    Source("retries", parse_retries, ("SPECTRONCTL_RETRIES",), "--retries", "retries", 3),
    Source("debug", parse_bool, ("SPECTRONCTL_DEBUG",), "--debug", default=False),
    Source(
        "auth_header",
        parse_auth_header,
        ("SPECTRONCTL_AUTH_HEADER",),
        field="auth_header",
        default="both",
    ),
    # Neither flag nor variable: what protects a server must not be switched off in passing.
    Source("protected", parse_bool, field="protected", default=False),
    Source("ca_file", parse_text, ("SPECTRONCTL_CA_FILE",), field="ca_file"),
    Source("proxy", parse_proxy, ("SPECTRONCTL_PROXY",), field="proxy"),
)


def _list_variables(*names: str) -> frozenset[str]:
    return frozenset(name for row in SETTINGS if row.name in names for name in row.env)


_WAY = ("auth_header", "ca_file", "proxy")
"""Settings that say how a server is reached."""

SERVER_VARIABLES = _list_variables("profile", "url", "context", *_WAY)
"""Variables that say which server is meant and how it is reached, for programs that are told both."""


@dataclass(frozen=True)
class _Keys:
    """The keys at hand: given on the command line, in the environment, kept in the profile."""

    given: Credential | None
    management: Credential | None
    context: Credential | None
    profile: Profile | None

    def kept_for(self, context_id: str) -> Credential | None:
        return self.profile.context_keys.get(context_id) if self.profile else None

    @property
    def kept(self) -> Credential | None:
        return self.profile.credential if self.profile else None


@dataclass(frozen=True)
class Settings:
    """Every setting with its source; `timeout` in seconds; `notes` are for people, on stderr."""

    profile: Setting[str | None]
    url: Setting[str]
    context: Setting[str | None]
    output: Setting[str]
    query: Setting[str | None]
    columns: Setting[tuple[str, ...] | None]
    sort: Setting[str | None]
    limit: Setting[int | None]
    no_header: Setting[bool]
    quiet: Setting[bool]
    yes: Setting[bool]
    no_input: Setting[bool]
    color: Setting[Color]
    timeout: Setting[float]
    retries: Setting[int]
    debug: Setting[bool]
    auth_header: Setting[AuthHeader]
    protected: Setting[bool]
    ca_file: Setting[str | None]
    proxy: Setting[str | None]
    notes: tuple[str, ...]
    _keys: _Keys = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the embedded server is used: the profile is `local` and no URL overrides it."""
        return self.url.source == f"profile {LOCAL}"

    def each(self) -> Iterator[tuple[str, Setting[Any]]]:
        """Every setting by name, in the order of the table."""
        return ((row.name, getattr(self, row.name)) for row in SETTINGS)

    @property
    def key_variables(self) -> frozenset[str]:
        """Variables that hold a key or password of ours, for programs that are started without them."""
        profile = self._keys.profile
        kept = [profile.credential, *profile.context_keys.values()] if profile else []
        named = (str(each.value) for each in kept if each and each.kind == "env")
        return KEY_VARIABLES.union(named)

    @property
    def way_variables(self) -> dict[str, str]:
        """How the server is reached, for the environment of a program that has not our config file."""
        decided = {
            row: setting
            for row in SETTINGS
            if row.name in _WAY and (setting := getattr(self, row.name)).source != "default"
        }
        return {row.env[0]: str(setting.value) for row, setting in decided.items()}

    def management_credential(self) -> Credential | None:
        """The key for management commands, or None; AuthError when the only one belongs to another server."""
        return self._choose(None, None, self._keys.kept)

    def data_plane_credential(self, context_id: str) -> Credential | None:
        """The key for commands inside a context: its own, then SPECTRON_API_KEY, then the management key."""
        keys = self._keys
        return self._choose(keys.kept_for(context_id), keys.context, keys.kept)

    def _choose(
        self, kept_first: Credential | None, context: Credential | None, kept: Credential | None
    ) -> Credential | None:
        keys = self._keys
        # The embedded server has no use for a key, and one of the environment is for a server elsewhere.
        if self.is_local or keys.given:
            return keys.given
        if self._home == origin(self.url.value):
            # A context's own key comes before those of the environment, which do not say which context they are for.
            return kept_first or context or keys.management or kept
        found = context or keys.management
        if found is None and (kept_first or kept):
            raise self._foreign_key()
        return found

    @property
    def _home(self) -> tuple[str, str, int]:
        profile = self._keys.profile
        # A profile without a URL keeps its keys for the default server, not for whichever the environment names.
        return origin((profile and profile.url) or DEFAULT_URL)

    def _foreign_key(self) -> AuthError:
        scheme, host, port = self._home
        return AuthError(
            f"the key of profile {self.profile.value} belongs to {scheme}://{host}:{port};"
            f" it is not sent to {self.url.value} ({self.url.source})",
            hint="Give that server's key with --api-key-file or SPECTRON_MANAGEMENT_API_KEY,"
            " or make a profile for it.",
        )


def resolve(flags: Mapping[str, Any], env: Mapping[str, str], config: Config) -> Settings:
    """
    Every setting from the layers at hand.

    `flags` holds what was typed, by option name, as text or as typed values; None and absent are the same, and so are
    an empty and an absent variable. UsageError names the flag or variable with a bad value.
    """
    chosen = _choose_profile(flags, env, config)
    profile = find_profile(config, chosen.value) if chosen.value else None
    values: dict[str, Setting[Any]] = {"profile": chosen}
    for row in SETTINGS[1:]:
        # The first of the cases above: with an empty environment, only `--url` comes before the profile.
        is_decided = row.name == "url" and chosen == Setting(LOCAL, "--profile")
        values[row.name] = _resolve_one(row, flags, {} if is_decided else env, profile)
    # Here, since a `~` in a variable or in the file has met no shell.
    values["ca_file"] = _expand(values["ca_file"], env)
    keys = _Keys(
        given=_parse_flags(flags),
        management=_parse_environment(MANAGEMENT_KEY_VARIABLES, env),
        context=_parse_environment(CONTEXT_KEY_VARIABLES, env),
        profile=profile,
    )
    return Settings(**values, notes=_note_overrides(values, profile), _keys=keys)


def _choose_profile(
    flags: Mapping[str, Any], env: Mapping[str, str], config: Config
) -> Setting[str | None]:
    chosen: Setting[str | None] = _resolve_one(SETTINGS[0], flags, env, None)
    if chosen.value is None and config.profile:
        return Setting(config.profile, "config file")
    return chosen


def _resolve_one(
    row: Source, flags: Mapping[str, Any], env: Mapping[str, str], profile: Profile | None
) -> Setting[Any]:
    if row.flag and (typed := flags.get(row.name)) is not None:
        is_text = isinstance(typed, str)
        return Setting(parse_named(row.parse, typed, row.flag) if is_text else typed, row.flag)
    for name in row.env:
        # An empty one is an unset one: CI systems and Compose files set a variable to nothing for lack of a value.
        if text := env.get(name):
            return Setting(parse_named(row.parse, text, name), name)
    if profile and row.field and (kept := getattr(profile, row.field)) is not None:
        return Setting(kept, f"profile {profile.name}")
    return Setting(row.default, "default")


def _expand(setting: Setting[str | None], env: Mapping[str, str]) -> Setting[str | None]:
    return Setting(setting.value and expand_home(setting.value, env), setting.source)


def _note_overrides(values: Mapping[str, Setting[Any]], profile: Profile | None) -> tuple[str, ...]:
    # Not for the default profile of the file: nothing in this run asked for it, and a variable is meant to win.
    if profile is None or values["profile"].source == "config file":
        return ()
    return tuple(
        f"{values[row.name].source} overrides the {row.name} of profile {profile.name}"
        for row in SETTINGS
        if row.name in {"url", "context"}
        and values[row.name].source in row.env
        and getattr(profile, row.name) not in {None, values[row.name].value}
    )


def _parse_flags(flags: Mapping[str, Any]) -> Credential | None:
    key, path = flags.get("api_key"), flags.get("api_key_file")
    if key is not None and path is not None:
        raise UsageError("--api-key and --api-key-file are two keys; give one of them")
    if path is not None:
        return file_credential(
            parse_named(parse_text, str(path), "--api-key-file"), "--api-key-file"
        )
    return None if key is None else Credential("literal", "--api-key", key)


def _parse_environment(names: tuple[str, ...], env: Mapping[str, str]) -> Credential | None:
    for name in names:
        if text := env.get(name):
            if name.endswith("_FILE"):
                return file_credential(text, name)
            return Credential("env", name, name)
    return None
