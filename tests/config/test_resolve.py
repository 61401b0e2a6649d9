from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronctl.config.credentials import Credential
from spectronctl.config.profiles import LOCAL_URL, Config, Profile
from spectronctl.config.resolve import SETTINGS, Setting, Settings, Source, resolve
from spectronctl.errors import AuthError, ConfigError, UsageError

PATH = Path("/home/ada/.config/spectronctl/config.toml")
KEPT = Credential("file", "profile prod, api_key_file", "/prod.key")
KEPT_ACME = Credential("env", "profile prod, context_keys.acme.api_key_env", "ACME")
PROD = Profile(
    "prod",
    url="https://prod.example",
    context="acme",
    auth_header="bearer",
    protected=True,
    ca_file="~/ca.pem",
    proxy="http://ada:SENTINEL@proxy",
    timeout=5.0,
    retries=7,
    credential=KEPT,
    context_keys={"acme": KEPT_ACME},
)
CONFIG = Config(PATH, None, {"prod": PROD})
IN_PROD = {"profile": "prod"}


def source(credential: Credential | None) -> str | None:
    return credential.source if credential else None


TEXTS = {
    "url": ["http://a", "http://b", "http://c", "http://d", "http://e"],
    "output": ["json", "yaml", "csv"],
    "color": ["always", "never"],
    "auth_header": ["api-key", "bearer"],
    "limit": ["1", "2"],
    "retries": ["8", "9"],
    "timeout": ["1m", "2m"],
    "proxy": ["http://p", "http://q"],
    "profile": ["prod", "prod"],
}
BOOLS = ("no_header", "quiet", "yes", "no_input", "debug", "protected")


def texts(row: Source) -> list[str]:
    """As many valid texts as a row has layers, all different where they can be."""
    if row.name in BOOLS:
        return ["true", "false"]
    return TEXTS.get(row.name, ["aa", "bb", "cc"])


@given(data=st.data(), row=st.sampled_from(SETTINGS))
def test_the_highest_layer_present_wins_and_is_named(data: st.DataObject, row: Source) -> None:
    layers = [name for name in (row.flag, *row.env) if name]
    present = data.draw(st.sets(st.sampled_from(layers))) if layers else set()
    is_in_profile = row.field is not None and data.draw(st.booleans())
    given_texts = dict(zip(layers, texts(row), strict=False))
    flags: dict[str, Any] = dict(IN_PROD) if is_in_profile else {}
    if row.flag in present:
        flags[row.name] = given_texts[row.flag]
    env = {name: given_texts[name] for name in present if name != row.flag}
    won = next((name for name in layers if name in present), None)

    setting = getattr(resolve(flags, env, CONFIG), row.name)

    if won:
        assert setting == Setting(row.parse(given_texts[won]), won)
    elif is_in_profile and row.field:
        assert setting.source == "profile prod"
        assert setting.value is not None
    else:
        assert setting == Setting(row.default, "default")


def test_without_anything_every_setting_has_its_default() -> None:
    settings = resolve({}, {}, Config(PATH))
    assert settings.url == Setting("http://localhost:9090", "default")
    assert settings.timeout == Setting(30.0, "default")
    assert settings.retries == Setting(3, "default")
    assert settings.output == Setting("table", "default")
    assert settings.auth_header == Setting("both", "default")
    assert not settings.is_local
    assert settings.management_credential() is None
    assert settings.data_plane_credential("acme") is None


def test_the_table_and_the_settings_name_the_same_things() -> None:
    fields = set(Settings.__dataclass_fields__) - {"notes", "_keys"}
    assert fields == {row.name for row in SETTINGS}
    assert dict(resolve({}, {}, CONFIG).each()).keys() == fields
    assert all(not row.env or row.env[0].startswith("SPECTRONCTL_") for row in SETTINGS)


def test_a_typed_flag_is_taken_as_it_is_and_a_text_is_parsed() -> None:
    settings = resolve({"timeout": 2.5, "limit": "7", "columns": ("id",)}, {}, CONFIG)
    assert settings.timeout == Setting(2.5, "--timeout")
    assert settings.limit.value == 7
    assert settings.columns.value == ("id",)


def test_an_empty_variable_counts_as_unset() -> None:
    env = {"SPECTRONCTL_URL": "", "SPECTRON_URL": "http://b", "SPECTRON_API_KEY": ""}
    settings = resolve({}, env, CONFIG)
    assert settings.url == Setting("http://b", "SPECTRON_URL")
    assert settings.data_plane_credential("acme") is None


@pytest.mark.parametrize(
    ("flags", "env", "name"),
    [
        ({"url": "localhost"}, {}, "--url"),
        ({"url": ""}, {}, "--url"),
        ({"context": ""}, {}, "--context"),
        ({}, {"SPECTRON_SERVER": "localhost"}, "SPECTRON_SERVER"),
        ({}, {"SPECTRONCTL_TIMEOUT": "soon"}, "SPECTRONCTL_TIMEOUT"),
        ({}, {"SPECTRONCTL_RETRIES": "-1"}, "SPECTRONCTL_RETRIES"),
        ({}, {"SPECTRONCTL_YES": "perhaps"}, "SPECTRONCTL_YES"),
        ({}, {"SPECTRONCTL_OUTPUT": "xml"}, "SPECTRONCTL_OUTPUT"),
        ({"api_key_file": ""}, {}, "--api-key-file"),
    ],
)
def test_a_bad_value_names_the_flag_or_variable(
    flags: dict[str, Any], env: dict[str, str], name: str
) -> None:
    with pytest.raises(UsageError, match=f"^{name}: "):
        resolve(flags, env, CONFIG)


def test_the_profile_comes_from_flag_variable_and_file_in_that_order() -> None:
    config = Config(PATH, "c", {name: Profile(name) for name in "abc"})
    env = {"SPECTRONCTL_PROFILE": "b"}
    assert resolve({"profile": "a"}, env, config).profile == Setting("a", "--profile")
    assert resolve({}, env, config).profile == Setting("b", "SPECTRONCTL_PROFILE")
    assert resolve({}, {}, config).profile == Setting("c", "config file")


def test_an_unknown_profile_is_a_config_error_with_the_near_ones() -> None:
    with pytest.raises(ConfigError, match="no profile prd") as caught:
        resolve({"profile": "prd"}, {}, CONFIG)
    assert caught.value.candidates == ["prod"]


def test_nothing_in_passing_switches_protection_off() -> None:
    env = {"SPECTRONCTL_PROTECTED": "false", "SPECTRON_URL": "http://b"}
    assert resolve({**IN_PROD, "protected": False}, env, CONFIG).protected.value is True


def test_a_ca_file_below_home_is_found() -> None:
    settings = resolve(IN_PROD, {"HOME": "/home/ada"}, CONFIG)
    assert settings.ca_file == Setting("/home/ada/ca.pem", "profile prod")


def test_a_proxys_password_is_neither_shown_nor_in_the_repr() -> None:
    settings = resolve({**IN_PROD, "api_key": "mgmt-SENTINEL"}, {}, CONFIG)
    assert settings.proxy.value == "http://ada:SENTINEL@proxy"
    assert settings.proxy.shown == "http://***@proxy"
    assert "SENTINEL" not in repr(settings)


@pytest.mark.parametrize(
    ("flags", "env", "default", "is_local"),
    [
        ({"profile": "local"}, {}, None, True),
        ({"profile": "local"}, {"SPECTRON_URL": "http://b"}, None, True),
        ({"profile": "local"}, {"SPECTRONCTL_URL": "http://b"}, None, True),
        ({"profile": "local", "url": "http://b"}, {}, None, False),
        ({}, {"SPECTRONCTL_PROFILE": "local"}, None, True),
        ({}, {"SPECTRONCTL_PROFILE": "local", "SPECTRON_URL": "http://b"}, None, False),
        ({"url": "http://b"}, {"SPECTRONCTL_PROFILE": "local"}, None, False),
        ({}, {}, "local", True),
        ({}, {"SPECTRON_URL": "http://b"}, "local", False),
        ({"profile": "prod"}, {}, "local", False),
    ],
)
def test_local_counts_in_the_layer_that_chose_it(
    flags: dict[str, Any], env: dict[str, str], default: str | None, is_local: bool
) -> None:
    settings = resolve(flags, env, Config(PATH, default, {"prod": PROD}))
    assert settings.is_local is is_local
    assert (settings.url.value == LOCAL_URL) is is_local


def test_the_embedded_server_gets_no_key_of_another_server() -> None:
    env = {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-prod", "SPECTRON_API_KEY": "sk-prod"}
    settings = resolve({"profile": "local"}, env, CONFIG)
    assert settings.management_credential() is None
    assert settings.data_plane_credential("acme") is None
    given = resolve({"profile": "local", "api_key": "k"}, env, CONFIG)
    assert source(given.management_credential()) == "--api-key"


@pytest.mark.parametrize("variable", ["SPECTRON_URL", "SPECTRON_CONTEXT_ID"])
def test_a_variable_over_a_profile_that_was_asked_for_is_noted(variable: str) -> None:
    env = {variable: "http://b"}
    (note,) = resolve(IN_PROD, env, CONFIG).notes
    assert note.startswith(f"{variable} overrides the ")
    assert note.endswith("of profile prod")
    assert resolve({}, {**env, "SPECTRONCTL_PROFILE": "prod"}, CONFIG).notes == (note,)


@pytest.mark.parametrize(
    ("flags", "env", "default"),
    [
        (IN_PROD, {}, None),
        ({}, {"SPECTRON_URL": "http://b"}, "prod"),
        ({**IN_PROD, "url": "http://b"}, {}, None),
        (IN_PROD, {"SPECTRON_URL": "https://prod.example"}, None),
        ({"profile": "local"}, {"SPECTRON_URL": "http://b"}, None),
    ],
)
def test_nothing_is_noted_where_the_choice_is_plain(
    flags: dict[str, Any], env: dict[str, str], default: str | None
) -> None:
    assert resolve(flags, env, Config(PATH, default, {"prod": PROD})).notes == ()


MANAGEMENT = [
    "SPECTRONCTL_API_KEY",
    "SPECTRONCTL_API_KEY_FILE",
    "SPECTRON_MANAGEMENT_API_KEY",
    "SPECTRON_MGMT_KEY",
]


@given(st.sets(st.sampled_from(["--api-key", *MANAGEMENT, "profile"])))
def test_management_commands_take_the_highest_management_key(present: set[str]) -> None:
    flags = {"api_key": "k"} if "--api-key" in present else {}
    flags |= IN_PROD if "profile" in present else {}
    env = {name: "/k" for name in present if name.startswith("SPECTRON")}
    env["SPECTRON_API_KEY"] = "sk-never"
    order = ["--api-key", *MANAGEMENT, "profile"]
    won = next((name for name in order if name in present), None)
    expected = KEPT.source if won == "profile" else won
    assert source(resolve(flags, env, CONFIG).management_credential()) == expected


@given(st.sets(st.sampled_from(["flag", "env", "management", "profile"])))
def test_data_plane_commands_take_the_key_nearest_to_the_context(present: set[str]) -> None:
    flags = {"api_key_file": "/k"} if "flag" in present else {}
    flags |= IN_PROD if "profile" in present else {}
    env = {"SPECTRON_API_KEY": "sk"} if "env" in present else {}
    env |= {"SPECTRON_MGMT_KEY": "m"} if "management" in present else {}
    settings = resolve(flags, env, CONFIG)

    kept_first = [("flag", "--api-key-file"), ("profile", KEPT_ACME.source)]
    rest = [("env", "SPECTRON_API_KEY"), ("management", "SPECTRON_MGMT_KEY")]
    own = next((name for layer, name in kept_first + rest if layer in present), None)
    assert source(settings.data_plane_credential("acme")) == own

    order = [kept_first[0], *rest, ("profile", KEPT.source)]
    other = next((name for layer, name in order if layer in present), None)
    assert source(settings.data_plane_credential("other")) == other


def test_keys_are_read_from_where_they_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("mgmt-file\n")
    env = {"SPECTRONCTL_API_KEY_FILE": str(tmp_path / "key"), "SPECTRON_API_KEY": "sk-env"}
    settings = resolve({}, env, CONFIG)
    management = settings.management_credential()
    context = settings.data_plane_credential("acme")
    assert management
    assert context
    assert management.read(env, str) == "mgmt-file"
    assert context.read(env, str) == "sk-env"


def test_two_keys_on_the_command_line_are_one_too_many() -> None:
    with pytest.raises(UsageError, match="--api-key and --api-key-file"):
        resolve({"api_key": "k", "api_key_file": "-"}, {}, CONFIG)


@pytest.mark.parametrize(
    ("flags", "env"),
    [
        ({"url": "http://evil.example"}, {}),
        ({"url": "http://prod.example"}, {}),
        ({"url": "https://prod.example:8443"}, {}),
        ({}, {"SPECTRON_URL": "http://staging.example"}),
    ],
)
def test_a_profiles_keys_are_never_sent_to_another_server(
    flags: dict[str, Any], env: dict[str, str]
) -> None:
    settings = resolve({**IN_PROD, **flags}, env, CONFIG)
    for ask in (settings.management_credential, lambda: settings.data_plane_credential("acme")):
        with pytest.raises(AuthError) as caught:
            ask()
        assert "belongs to https://prod.example:443" in caught.value.message
        assert settings.url.value in caught.value.message
        assert settings.url.source in caught.value.message


def test_another_key_serves_where_the_profiles_may_not_go() -> None:
    env = {"SPECTRON_URL": "http://b", "SPECTRON_API_KEY": "sk", "SPECTRON_MGMT_KEY": "m"}
    settings = resolve(IN_PROD, env, CONFIG)
    assert source(settings.management_credential()) == "SPECTRON_MGMT_KEY"
    assert source(settings.data_plane_credential("acme")) == "SPECTRON_API_KEY"


def test_the_same_server_named_again_keeps_the_profiles_keys() -> None:
    settings = resolve({**IN_PROD, "url": "https://PROD.example:443/base"}, {}, CONFIG)
    assert settings.management_credential() == KEPT


def test_a_profile_without_a_url_belongs_to_the_default_one() -> None:
    config = Config(PATH, "bare", {"bare": Profile("bare", credential=KEPT)})
    assert resolve({}, {}, config).management_credential() == KEPT
    with pytest.raises(AuthError, match="belongs to http://localhost:9090"):
        resolve({"url": "http://b"}, {}, config).management_credential()
