from __future__ import annotations

from pathlib import Path

import pytest

from spectronctl.config.fields import CREDENTIAL_FIELDS, FIELDS
from spectronctl.config.loading import load_config
from spectronctl.config.profiles import LOCAL_URL, Config, find_profile
from spectronctl.errors import ConfigError

FULL = """
version = 1
profile = "prod"
future = true

[profiles.prod]
url = "https://spectron.example/"
context = "acme-prod"
auth_header = "bearer"
protected = true
ca_file = "ca.pem"
proxy = "http://ada:SENTINEL@proxy:3128"
timeout = "1m30s"
retries = 5
api_key = "mgmt-SENTINEL"
colour = "red"

[profiles.prod.context_keys.acme]
api_key_command = ["pass", "show", "acme"]

[profiles.dev]
timeout = "2.5s"
api_key_command = "pass show 'my key'"
"""


def write(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def refuse(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(path) in caught.value.message
    assert "SENTINEL" not in str(caught.value.to_dict())
    return caught.value


def test_a_missing_file_says_nothing(tmp_path: Path) -> None:
    assert load_config(tmp_path / "none.toml") == Config(tmp_path / "none.toml")


def test_every_field_is_read_as_its_type_and_unknown_ones_are_told(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, FULL))
    prod, dev = config.profiles["prod"], config.profiles["dev"]
    assert config.profile == "prod"
    assert config.ignored == ("future", "profiles.prod.colour")
    assert (prod.url, prod.context) == ("https://spectron.example", "acme-prod")
    assert (prod.auth_header, prod.protected, prod.retries) == ("bearer", True, 5)
    assert (prod.timeout, dev.timeout) == (90.0, 2.5)
    assert prod.proxy == "http://ada:SENTINEL@proxy:3128"
    assert prod.credential is not None
    assert prod.credential.source == "profile prod, api_key"
    assert prod.context_keys["acme"].value == ("pass", "show", "acme")
    assert dev.credential is not None
    assert dev.credential.value == ("pass", "show", "my key")
    assert (dev.url, dev.protected) == (None, None)


def test_the_repr_of_a_config_shows_no_secret(tmp_path: Path) -> None:
    assert "SENTINEL" not in repr(load_config(write(tmp_path, FULL)))


def test_a_relative_path_starts_at_the_config_file(tmp_path: Path) -> None:
    text = '[profiles.a]\nca_file = "ca.pem"\napi_key_file = "~/key"\n'
    profile = load_config(write(tmp_path, text)).profiles["a"]
    assert profile.ca_file == str(tmp_path / "ca.pem")
    assert profile.credential is not None
    assert profile.credential.value == "~/key"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a = 1\nb = = 2\n", "line 2"),
        ('a = 1\nb = "x', "line 2"),
        ("profiles = 5", "profiles: a table is needed"),
        ("profile = 5", "profile: a string is needed, not 5"),
        ("version = true", "version: a whole number from 1 is needed"),
        ("version = 0", "version: a whole number from 1 is needed, not 0"),
        ("[profiles]\nprod = 5", "profiles.prod: a table is needed"),
        ("[profiles.prod]\nurl = 5", "profiles.prod.url: a string is needed, not 5"),
        ("[profiles.prod]\nurl = 'x'", "profiles.prod.url: http://HOST:PORT"),
        ("[profiles.prod]\nprotected = 'no'", "protected: true or false is needed, not 'no'"),
        ("[profiles.prod]\nretries = true", "profiles.prod.retries: a whole number is needed"),
        ("[profiles.prod]\nretries = -1", "profiles.prod.retries: a whole number from 0"),
        ("[profiles.prod]\ntimeout = 'soon'", "timeout: 'soon' is not a duration"),
        ("[profiles.prod]\nauth_header = 'basic'", "auth_header: one of both, bearer, api-key"),
        ("[profiles.prod]\napi_key_command = 5", "api_key_command: a command is needed, not 5"),
        ("[profiles.prod]\napi_key = ['SENTINEL']", "profiles.prod.api_key: a string is needed"),
        (
            '[profiles.prod]\napi_key = "SENTINEL\\nx"',
            "api_key: the key from this field has a line",
        ),
        ("[profiles.prod]\napi_key_env = 'mgmt-SENTINEL'", "api_key_env: the name of an env"),
        ("[profiles.prod]\napi_key_command = []", "a program and its arguments"),
        ("[profiles.prod]\napi_key_command = ['a', 1]", "a program and its arguments"),
        ('[profiles.prod]\napi_key_command = "\'SENTINEL"', "api_key_command: not a command"),
        ("[profiles.prod]\napi_key_command = ''", "a command is needed"),
        ("[profiles.prod]\nproxy = 'gopher://a:SENTINEL@b'", "profiles.prod.proxy: a proxy's URL"),
        ("[profiles.prod]\ncontext_keys = 'x'", "profiles.prod.context_keys: a table is needed"),
        ("[profiles.prod.context_keys]\na = 'x'", "context_keys.a: a table is needed"),
        ("[profiles.'a b']", "profiles.a b: a profile's name is made of letters"),
        ("[profiles.local]", "profiles.local: this name is built in"),
        (
            "[profiles.prod]\napi_key = 'SENTINEL'\napi_key_env = 'X'",
            "profiles.prod: api_key_env and api_key are both given",
        ),
        (
            "[profiles.prod.context_keys.acme]\napi_key = 'SENTINEL'\napi_key_file = 'x'",
            "profiles.prod.context_keys.acme: api_key_file and api_key are both given",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_the_line_or_field(
    tmp_path: Path, text: str, problem: str
) -> None:
    assert problem in refuse(write(tmp_path, text)).message


def test_a_key_that_is_no_string_is_not_repeated(tmp_path: Path) -> None:
    error = refuse(write(tmp_path, "[profiles.prod]\napi_key = 80815"))
    assert error.message.endswith("profiles.prod.api_key: a string is needed")


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    path.write_bytes(b"a = '\xff'")
    assert "UTF-8" in refuse(path).message


def test_a_directory_in_the_files_place_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refuse(tmp_path).message


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    error = refuse(write(tmp_path, "version = 2\n[profiles]\nprod = 5"))
    assert "version 2" in error.message


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
@pytest.mark.parametrize(
    "text",
    [
        "[profiles.prod]\napi_key = 'SENTINEL'",
        "[profiles.prod.context_keys.acme]\napi_key = 'SENTINEL'",
        "[profiles.prod]\nproxy = 'http://ada:SENTINEL@proxy'",
    ],
)
def test_a_secret_that_others_can_read_is_refused_with_the_chmod(
    tmp_path: Path, text: str, mode: int
) -> None:
    path = write(tmp_path, text, mode)
    assert refuse(path).command == f"chmod 600 {path}"
    path.chmod(0o600)
    assert "prod" in load_config(path).profiles


def test_a_file_without_a_secret_may_be_read_by_others(tmp_path: Path) -> None:
    text = "[profiles.api_key]\napi_key_env = 'KEY'\nproxy = 'http://proxy'"
    assert "api_key" in load_config(write(tmp_path, text, 0o644)).profiles


def test_an_unknown_profile_names_the_near_ones_and_the_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, "[profiles.prod]\n[profiles.staging]"))
    with pytest.raises(ConfigError) as caught:
        find_profile(config, "prd")
    assert caught.value.message == f"no profile prd in {config.path}"
    assert caught.value.candidates == ["prod"]


def test_local_is_built_in(tmp_path: Path) -> None:
    assert find_profile(Config(tmp_path), "local").url == LOCAL_URL


SLIPS = [
    ("protectd = true", "protected"),
    ("Protected = true", "protected"),
    ("protect = true", "protected"),
    ("is_protected = true", "protected"),
    ('api-key-file = "k"', "api_key_file"),
    ('ulr = "http://x"', "url"),
    ('URL = "http://x"', "url"),
    ("timeouts = 1", "timeout"),
    ('context_key.c1.api_key_env = "K"', "context_keys"),
    ('context_keys.c1.api_key_fil = "k"', "api_key_file"),
]


@pytest.mark.parametrize(("line", "meant"), SLIPS)
def test_a_misspelled_field_is_refused_with_the_one_that_was_meant(
    tmp_path: Path, line: str, meant: str
) -> None:
    error = refuse(write(tmp_path, f"[profiles.p]\n{line}\n"))
    assert error.candidates[0] == meant
    assert "profiles.p." in error.message


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('profil = "p"\n', "profile"),
        ("protected = true\n[profiles.p]\n", "profiles.NAME.protected"),
        ('[profile.p]\nurl = "http://x"\n', None),
        ('[Profiles.p]\nurl = "http://x"\n', "profiles"),
    ],
)
def test_a_field_in_the_wrong_place_is_refused(
    tmp_path: Path, text: str, meant: str | None
) -> None:
    error = refuse(write(tmp_path, text))
    assert meant is None or error.candidates[0] == meant


def test_every_field_that_loses_a_letter_is_refused_or_told(tmp_path: Path) -> None:
    for name in [*FIELDS, *CREDENTIAL_FIELDS, "context_keys"]:
        for index in range(len(name)):
            slip = name[:index] + name[index + 1 :]
            if slip in FIELDS or slip in CREDENTIAL_FIELDS:
                continue
            refuse(write(tmp_path, f"[profiles.p]\n{slip} = 1\n"))


@pytest.mark.parametrize(
    "kind", ["a directory", "a dangling link", "below a dangling link", "below a file"]
)
def test_what_cannot_be_read_is_not_an_empty_config(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "config.toml"
    match kind:
        case "a directory":
            path.mkdir()
        case "a dangling link":
            path.symlink_to(tmp_path / "gone")
        case "below a dangling link":
            path.symlink_to(tmp_path / "gone")
            path = path / "a/config.toml"
        case _:
            path.touch()
            path = path / "config.toml"
    assert "cannot be read" in refuse(path).message


def test_a_file_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    assert "nested" in refuse(write(tmp_path, "a = " + "[" * 9999 + "]" * 9999)).message
