from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from spectronctl.local.locations import (
    NoHomeError,
    cache_dir,
    config_path,
    expand_home,
    find_config_path,
    local_store_url,
    state_dir,
)

HOME = {"HOME": "/home/ada"}


def test_files_live_in_the_xdg_layout_below_the_given_home() -> None:
    assert config_path(HOME) == Path("/home/ada/.config/spectronctl/config.toml")
    assert state_dir(HOME) == Path("/home/ada/.local/state/spectronctl")
    assert cache_dir(HOME) == Path("/home/ada/.cache/spectronctl")
    assert local_store_url(HOME) == "surrealkv:///home/ada/.local/share/spectronctl/local"


def test_an_xdg_variable_moves_its_directory() -> None:
    env = {**HOME, "XDG_CONFIG_HOME": "/etc/ada", "XDG_DATA_HOME": "/data"}
    assert config_path(env) == Path("/etc/ada/spectronctl/config.toml")
    assert local_store_url(env) == "surrealkv:///data/spectronctl/local"


def test_a_relative_xdg_variable_is_ignored() -> None:
    assert cache_dir({**HOME, "XDG_CACHE_HOME": "cache"}) == Path("/home/ada/.cache/spectronctl")


def test_the_config_file_can_be_named_outright() -> None:
    assert config_path({**HOME, "SPECTRONCTL_CONFIG": "~/c.toml"}) == Path("/home/ada/c.toml")


def test_one_variable_moves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = {**HOME, "SPECTRONCTL_HOME": "~/s", "XDG_CACHE_HOME": "/cache"}
    assert config_path(env) == Path("/home/ada/s/config/config.toml")
    assert (state_dir(env), cache_dir(env)) == (
        Path("/home/ada/s/state"),
        Path("/home/ada/s/cache"),
    )
    assert local_store_url(env) == "surrealkv:///home/ada/s/data/local"
    monkeypatch.chdir(tmp_path)
    assert state_dir({**env, "SPECTRONCTL_HOME": "here"}) == tmp_path / "here/state"


def test_without_a_home_the_account_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    expected = Path(os.path.expanduser("~")) / ".config/spectronctl/config.toml"
    assert config_path({}) == expected


@pytest.mark.parametrize("url", ["mem://", "surrealkv:///var/lib/x", "ws://db:8000"])
def test_a_store_url_is_taken_as_it_is(url: str) -> None:
    assert local_store_url({**HOME, "SPECTRONCTL_LOCAL_STORE": url}) == url


def test_a_store_path_becomes_an_absolute_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = {**HOME, "SPECTRONCTL_LOCAL_STORE": "here"}
    assert local_store_url(env) == f"surrealkv://{tmp_path}/here"


def test_only_a_leading_tilde_of_ones_own_is_expanded() -> None:
    assert expand_home("~", HOME) == "/home/ada"
    assert expand_home("~bob/x", HOME) == "~bob/x"
    assert expand_home("~/x", {}) == "~/x"


@pytest.fixture
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", refuse)


@pytest.mark.usefixtures("no_account")
@pytest.mark.parametrize("env", [{}, {"HOME": ""}, {"XDG_CONFIG_HOME": "relative"}])
def test_a_user_id_without_an_account_has_no_place_and_an_empty_config(env: dict[str, str]) -> None:
    for find in (config_path, state_dir, cache_dir, local_store_url):
        with pytest.raises(NoHomeError, match="no home directory") as caught:
            find(env)
        assert "SPECTRONCTL_HOME" in str(caught.value.hint)
    assert find_config_path(env) == Path(os.devnull)
    assert state_dir({**env, "SPECTRONCTL_HOME": "/s"}) == Path("/s/state")
    assert config_path({**env, "XDG_CONFIG_HOME": "/c"}) == Path("/c/spectronctl/config.toml")


def test_an_empty_home_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_path({"HOME": ""}) == config_path({})
