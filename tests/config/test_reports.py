"""What of the configuration goes into a report for others."""

from __future__ import annotations

from pathlib import Path

import pytest

from spectronctl.config.credentials import digest
from spectronctl.config.reports import (
    HIDDEN,
    clean_address,
    describe_config,
    describe_environment,
)

SECRET = "sentinel-8d1f"


def describe(tmp_path: Path, text: str) -> object:
    path = tmp_path / "config.toml"
    path.write_text(text)
    shown = describe_config(path)
    assert SECRET not in repr(shown)
    return shown


def test_known_fields_are_shown_and_keys_are_digests(tmp_path: Path) -> None:
    text = f"""
    version = 1
    profile = "a"
    [profiles.a]
    url = "https://a.test/prefix"
    protected = true
    timeout = 5
    api_key = "{SECRET}"
    [profiles.a.context_keys.acme]
    api_key_env = "ACME_KEY"
    """
    shown = describe(tmp_path, text)
    assert shown == {
        "version": 1,
        "profile": "a",
        "profiles": {
            "a": {
                "url": "https://a.test/prefix",
                "protected": True,
                "timeout": 5,
                "api_key": digest(SECRET),
                "context_keys": {"acme": {"api_key_env": "ACME_KEY"}},
            }
        },
    }


@pytest.mark.parametrize(
    "text",
    [
        f'[profiles.a]\nurl = "https://ada:{SECRET}@a.test"',
        f'[profiles.a]\nurl = "https://a.test/?key={SECRET}"',
        f'[profiles.a]\nproxy = "http://ada:{SECRET}@a.test"',
        f'[profiles.a]\napi_key_env = "{SECRET}"',
        f'[profiles.a]\napi_key_command = "vault {SECRET}"',
        f'[profiles.a]\napi_key_command = ["vault", "{SECRET}"]',
        f'[profiles.a]\napi_key = ["{SECRET}"]',
        f'[profiles.a]\nurl = {{ x = "{SECRET}" }}',
        f'[profiles.a]\nauth_header = "{SECRET}"',
        f'[profiles.a]\napikey = "{SECRET}"',
        f'[profiles.a.inner]\ncontext = "{SECRET}"',
        f'[profiles.a.context_keys.acme]\napi_key = "{SECRET}"',
        f'[profiles.a.context_keys.acme]\nsecret = "{SECRET}"',
        f'[profiles.a.context_keys]\nacme = "{SECRET}"',
        f'[profiles]\na = "{SECRET}"',
        f'profiles = ["{SECRET}"]',
        f'token = "{SECRET}"',
        f'[other]\nx = "{SECRET}"',
        f"# {SECRET}\nversion = 1",
        f"broken {SECRET}",
    ],
)
def test_a_secret_is_shown_wherever_it_stands_never(text: str, tmp_path: Path) -> None:
    describe(tmp_path, text)


def test_a_file_that_is_not_there_or_no_text_says_nothing(tmp_path: Path) -> None:
    assert describe_config(tmp_path / "nowhere") is None
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert describe_config(tmp_path / "binary") is None
    (tmp_path / "deep").write_text("a = " + "[" * 99_999)
    assert describe_config(tmp_path / "deep") is None


def test_variables_that_hold_keys_are_named_and_no_more() -> None:
    env = {
        "SPECTRON_URL": "https://a.test",
        "SPECTRONCTL_URL": f"https://a.test/?key={SECRET}",
        "SPECTRON_MANAGEMENT_API_KEY": SECRET,
        "MY_KEY": SECRET,
        "http_proxy": f"ada:{SECRET}@proxy",
        "SPECTRONCTL_LOCAL_STORE": f"ws://ada:{SECRET}@a.test",
        "UNRELATED": SECRET,
        "TERM": "dumb",
        "CI": "",
    }
    shown = describe_environment(env, frozenset({"MY_KEY", "SPECTRON_MANAGEMENT_API_KEY", "NONE"}))
    assert shown == {
        "SPECTRON_URL": "https://a.test",
        "SPECTRONCTL_URL": HIDDEN,
        "SPECTRONCTL_LOCAL_STORE": "ws://***@a.test",
        "TERM": "dumb",
        "MY_KEY": None,
        "SPECTRON_MANAGEMENT_API_KEY": None,
        "http_proxy": None,
    }


def test_an_address_keeps_its_place_only() -> None:
    text = f"see https://ada:{SECRET}@a.test/x?token={SECRET}#{SECRET} and http://b.test."
    assert clean_address(text) == "see https://***@a.test/x?… and http://b.test."
