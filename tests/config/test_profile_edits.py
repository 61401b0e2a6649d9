from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from spectronctl.config import editing
from spectronctl.config.editing import (
    add_profile,
    edit_config,
    remove_profile,
    set_value,
    unset_value,
    use_profile,
)
from spectronctl.config.loading import load_config
from spectronctl.errors import ConfigError, UsageError
from spectronctl.local.locks import hold_lock

COMMENTED = """# kept by ada
version = 1
future = "kept"

# the big one
[profiles.prod]  # careful
url = "https://prod.example"  # the load balancer
colour = "red"

[profiles.prod.context_keys.acme]
api_key_env = "ACME"

[elsewhere]
x = 1
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spectronctl" / "config.toml"


@pytest.fixture
def commented(path: Path) -> Path:
    path.parent.mkdir()
    path.write_text(COMMENTED)
    return path


def load(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def names(path: Path) -> list[str]:
    """What lies beside the config file and itself, but for the lock."""
    return sorted(each.name for each in path.parent.iterdir() if each.suffix != ".lock")


def test_the_first_profile_makes_a_file_only_its_owner_can_read(path: Path) -> None:
    add_profile(path, "prod", {"url": "https://prod.example"}, use=True)
    assert load(path) == {
        "version": 1,
        "profile": "prod",
        "profiles": {"prod": {"url": "https://prod.example"}},
    }
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert names(path) == ["config.toml"]


def test_a_change_keeps_comments_and_unknown_keys(commented: Path) -> None:
    add_profile(commented, "dev", {"url": "http://dev.example"})
    set_value(commented, "prod", "url", "https://new.example")
    use_profile(commented, "dev")
    remove_profile(commented, "dev")
    expected = COMMENTED.replace("https://prod.example", "https://new.example")
    assert commented.read_text() == expected


def test_choosing_a_profile_leaves_the_comment_above_another_in_place(commented: Path) -> None:
    use_profile(commented, "prod")
    assert "# the big one\n[profiles.prod]" in commented.read_text()
    assert load(commented)["profile"] == "prod"
    use_profile(commented, "local")
    assert load(commented)["profile"] == "local"


def test_every_field_is_written_as_its_type(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fields = {
        "url": "https://prod.example/",
        "context": "acme",
        "auth_header": "api-key",
        "protected": "yes",
        "ca_file": "ca.pem",
        "proxy": "http://proxy:3128",
        "timeout": "1m30s",
        "retries": "5",
        "api_key_command": "pass show 'my key'",
        "context_keys.acme.api_key_file": "~/acme.key",
    }
    add_profile(path, "a.b", fields)
    assert load(path)["profiles"]["a.b"] == {
        "url": "https://prod.example",
        "context": "acme",
        "auth_header": "api-key",
        "protected": True,
        "ca_file": str(tmp_path / "ca.pem"),
        "proxy": "http://proxy:3128",
        "timeout": "1m30s",
        "retries": 5,
        "api_key_command": "pass show 'my key'",
        "context_keys": {"acme": {"api_key_file": "~/acme.key"}},
    }
    assert load_config(path).profiles["a.b"].timeout == 90


def test_a_value_can_be_set_and_taken_out(commented: Path) -> None:
    set_value(commented, "prod", "context_keys.beta.api_key_env", "BETA")
    unset_value(commented, "prod", "context_keys.acme.api_key_env")
    unset_value(commented, "prod", "url")
    unset_value(commented, "prod", "retries")
    assert load(commented)["profiles"]["prod"] == {
        "colour": "red",
        "context_keys": {"beta": {"api_key_env": "BETA"}},
    }


@pytest.mark.parametrize(
    "layout",
    [
        'profiles.prod.url = "http://a"\n',
        '[profiles]\nprod = {url = "http://a"}\n',
        '[profiles.prod]\nurl = "http://a"\n[other]\n[profiles.dev]\n',
        '[other]\n\n[profiles.prod]\nurl = "http://a"\n[profiles.prod.extra]\nx = 1\n[z]\n',
        'profile = "x"\r\n[profiles]\r\n[profiles.prod]\r\nurl = "http://a"\r\n',
    ],
)
def test_any_layout_of_the_file_can_be_changed(path: Path, layout: str) -> None:
    path.parent.mkdir()
    path.write_bytes(layout.encode())
    add_profile(path, "new", {"url": "http://b"})
    set_value(path, "prod", "url", "http://c")
    assert load(path)["profiles"]["new"] == {"url": "http://b"}
    assert load(path)["profiles"]["prod"]["url"] == "http://c"
    remove_profile(path, "prod")
    assert "prod" not in load(path)["profiles"]
    assert "new" in load(path)["profiles"]


def test_a_layout_that_cannot_be_extended_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("profiles = {prod = {}}\n")
    with pytest.raises(ConfigError, match="laid out in a way") as caught:
        add_profile(path, "new", {})
    assert "editor" in str(caught.value.hint)
    assert path.read_text() == "profiles = {prod = {}}\n"


def test_a_text_that_does_not_say_what_was_meant_is_not_written(
    commented: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tomlkit, "dumps", lambda document: "version = 1\n")
    with pytest.raises(ConfigError, match="laid out in a way"):
        set_value(commented, "prod", "context", "acme")
    assert commented.read_text() == COMMENTED


def test_a_symbolic_link_stays_one_and_its_target_changes(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "spectronctl.toml"
    target.parent.mkdir()
    target.write_text("# in git\n")
    target.chmod(0o640)
    path.parent.mkdir()
    path.symlink_to(target)
    add_profile(path, "prod", {})
    assert path.is_symlink()
    assert target.read_text().startswith("# in git\n")
    assert "prod" in load_config(target).profiles
    assert mode(target) == 0o640


def test_a_file_that_is_given_a_secret_is_its_owners_alone_from_then_on(commented: Path) -> None:
    commented.chmod(0o644)
    set_value(commented, "prod", "context", "acme")
    assert mode(commented) == 0o644
    set_value(commented, "prod", "api_key", "mgmt-not-a-real-key")
    assert mode(commented) == 0o600


def test_without_locks_a_change_made_meanwhile_is_not_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    add_profile(path, "prod", {})
    monkeypatch.setattr(fcntl, "flock", refuse)
    others = iter(["dev", "test"])

    def change(document: tomlkit.TOMLDocument) -> None:
        document["profiles"]["prod"]["context"] = "acme"
        if other := next(others, None):  # another process is faster
            path.write_text(path.read_text() + f"[profiles.{other}]\n")

    edit_config(path, change)
    config = load_config(path)
    assert set(config.profiles) == {"prod", "dev", "test"}
    assert config.profiles["prod"].context == "acme"


def test_a_dangling_link_is_written_through(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "later" / "config.toml")
    add_profile(path, "prod", {})
    assert "prod" in load_config(tmp_path / "later" / "config.toml").profiles


def test_what_is_no_regular_file_is_not_replaced(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="is not a regular file"):
        add_profile(path, "prod", {"url": "https://prod.example"})
    assert path.is_fifo()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_taken_name_is_refused(commented: Path) -> None:
    with pytest.raises(ConfigError, match="already exists"):
        add_profile(commented, "prod", {})
    assert commented.read_text() == COMMENTED


@pytest.mark.parametrize("name", ["local", "", "a b", "a/b", "ä", "a\n"])
def test_a_name_that_cannot_be_one_is_refused(path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        add_profile(path, name, {})
    assert not path.exists()


def test_the_built_in_profile_has_nothing_to_change(commented: Path) -> None:
    with pytest.raises(UsageError, match="built-in"):
        set_value(commented, "local", "url", "http://a")


def test_an_unknown_profile_is_refused_with_the_near_ones(commented: Path) -> None:
    with pytest.raises(ConfigError, match="no profile prd") as caught:
        use_profile(commented, "prd")
    assert caught.value.candidates == ["prod"]


@pytest.mark.parametrize("key", ["ulr", "context_keys.acme", "context_keys.acme.url", "colour"])
def test_an_unknown_field_is_refused(commented: Path, key: str) -> None:
    with pytest.raises(UsageError, match=f"no field {key}") as caught:
        set_value(commented, "prod", key, "x")
    assert "api_key_file" in str(caught.value.hint)
    assert commented.read_text() == COMMENTED


def test_a_mistyped_field_names_the_near_one(commented: Path) -> None:
    with pytest.raises(UsageError) as caught:
        set_value(commented, "prod", "ulr", "x")
    assert caught.value.candidates == ["url"]


def test_a_bad_value_names_its_field_and_not_a_key(commented: Path) -> None:
    with pytest.raises(UsageError, match="retries: a whole number"):
        set_value(commented, "prod", "retries", "many")
    with pytest.raises(UsageError, match="api_key: the key from this field") as caught:
        set_value(commented, "prod", "api_key", "SENT\nINEL")
    assert "SENT" not in str(caught.value.to_dict())
    assert commented.read_text() == COMMENTED


def test_a_second_credential_is_refused_and_the_first_one_stays(commented: Path) -> None:
    set_value(commented, "prod", "api_key_env", "PROD")
    before = commented.read_text()
    with pytest.raises(ConfigError, match="api_key_env and api_key_file are both given"):
        set_value(commented, "prod", "api_key_file", "/key")
    assert commented.read_text() == before


def test_a_wrong_file_can_be_mended(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("[profiles.prod]\nurl = 5\n")
    unset_value(path, "prod", "url")
    assert load_config(path).profiles["prod"].url is None


def test_a_newer_version_is_left_untouched(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("version = 2\n")
    with pytest.raises(ConfigError, match="version 2"):
        add_profile(path, "prod", {})
    assert path.read_text() == "version = 2\n"


def test_a_secret_that_others_could_read_is_not_hidden_by_a_change(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("[profiles.prod]\napi_key = 'SENTINEL'\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others can read it"):
        set_value(path, "prod", "context", "acme")
    assert mode(path) == 0o644


def test_removing_the_default_profile_leaves_no_default(path: Path) -> None:
    add_profile(path, "prod", {}, use=True)
    add_profile(path, "dev", {})
    remove_profile(path, "prod")
    assert "profile" not in load(path)
    assert list(load_config(path).profiles) == ["dev"]


def test_a_change_that_changes_nothing_writes_nothing(commented: Path) -> None:
    before = commented.stat()
    edit_config(commented, lambda document: None)
    assert commented.stat().st_ino == before.st_ino


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    commented: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_write = os.write

    def write(descriptor: int, content: bytes) -> int:
        if len(content) <= 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_write(descriptor, content[:10])

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(ConfigError, match="No space left on device; nothing was changed"):
        set_value(commented, "prod", "context", "acme")
    monkeypatch.undo()
    assert commented.read_text() == COMMENTED
    assert names(commented) == ["config.toml"]


def test_a_file_size_limit_leaves_the_old_file(commented: Path) -> None:
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from spectronctl.config.editing import set_value\n"
        "from spectronctl.errors import ConfigError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))\n"
        "try:\n"
        "    set_value(Path(sys.argv[1]), 'prod', 'context', 'acme')\n"
        "except ConfigError as error:\n"
        "    print(error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, str(commented)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "File too large; nothing was changed" in done.stdout
    assert commented.read_text() == COMMENTED
    assert names(commented) == ["config.toml"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/config\.toml cannot be"):
        add_profile(tmp_path / "file" / "config.toml", "prod", {})


def test_a_lock_that_is_never_released_is_named(
    commented: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editing, "_LOCK_SECONDS", 0.1)
    lock = hold_lock(commented.with_name("config.toml.lock"), timeout=0)
    with lock, pytest.raises(ConfigError, match="changed by another process"):
        add_profile(commented, "new", {})


def test_what_a_killed_writer_left_is_swept_by_the_next(path: Path) -> None:
    draft = path.with_name(".config.toml.0123456789ab.tmp")
    others = [".config.toml.swp", ".config.toml.0123.tmp", ".other.toml.0123456789ab.tmp"]
    path.parent.mkdir()
    for each in [draft, *map(path.with_name, others)]:
        each.write_text('api_key = "sk-half')
    add_profile(path, "prod", {"url": "http://prod"})
    assert names(path) == sorted(["config.toml", *others])


def test_processes_adding_a_profile_each_lose_none(path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from spectronctl.config.editing import add_profile\n"
        "add_profile(Path(sys.argv[1]), sys.argv[2], {'url': 'http://' + sys.argv[2]})\n"
    )
    wanted = [
        f"p{number}" for number in range(12)
    ]  # twenty of the command itself: tests/cli/test_profiles.py
    started = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in wanted]
    assert [process.wait() for process in started] == [0] * 12
    found = load_config(path).profiles
    assert sorted(found) == sorted(wanted)
    assert all(profile.url == f"http://{name}" for name, profile in found.items())
    assert names(path) == ["config.toml"]
