"""Where a minted secret goes, by the options that `keys create`, `keys rotate` and `serve` share."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.support.commandline import CommandLine
from tests.support.server import Server


@pytest.fixture
def run(run: CommandLine) -> CommandLine:
    """The command line, with a context to work in and a PATH to find commands on."""
    assert run("contexts create acme-prod --namespace acme --database prod").code == 0
    run.env |= {"SPECTRON_CONTEXT_ID": "acme-prod", "PATH": os.environ["PATH"]}
    return run


def works(run: CommandLine, secret: str) -> bool:
    """Whether the server takes this secret for the context's."""
    return run("whoami --api-key-file -", stdin=secret).code == 0


def test_one_secret_goes_to_every_place_and_to_stdout_only_when_asked(
    run: CommandLine, tmp_path: Path
) -> None:
    command = shlex.quote(f"sh -c 'cat > {tmp_path}/piped'")
    places = (
        f"--secret-file {tmp_path}/one --secret-file {tmp_path}/two"
        f" --secret-env-file {tmp_path}/.env:A --secret-env-file {tmp_path}/.env:B"
        f" --secret-command {command}"
    )
    result = run(f"keys create app {places}")
    assert result.code == 0, result.err

    secret = (tmp_path / "one").read_text().strip()
    assert works(run, secret)
    assert (tmp_path / "two").read_text() == (tmp_path / "piped").read_text() == secret + "\n"
    assert dotenv_values(tmp_path / ".env") == {"A": secret, "B": secret}
    assert secret not in result.out + result.err
    for place in ("command sh", f"variable B in {tmp_path}/.env", f"file {tmp_path}/two"):
        assert place in result.err


@pytest.mark.parametrize("shape", ["table", "json"])
def test_with_reveal_a_secret_in_a_file_is_printed_too(
    run: CommandLine, tmp_path: Path, shape: str
) -> None:
    result = run(f"keys create app --reveal --secret-file {tmp_path}/key -o {shape}", terminal=True)
    assert (tmp_path / "key").read_text().strip() in result.out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--secret-env-file {0}/.env", "PATH:NAME"),
        ("--secret-env-file {0}/nowhere/.env:KEY", "nowhere"),
        ("--secret-env-file {0}/twice:KEY", "lines 1 and 2"),
        ("--secret-env-file {0}/set:KEY", "--force"),
        ("--secret-command no-such-program", "no-such-program"),
        ("--secret-file {0}/a --secret-file {0}/../{1}/a", "twice"),
        ("--secret-file {0}/a --secret-env-file {0}/b --secret-file {0}/a", "PATH:NAME"),
        ("--secret-file {0}/{{id}}", "{id}"),
    ],
)
def test_bad_places_are_found_before_anything_is_sent(
    run: CommandLine, server: Server, tmp_path: Path, options: str, says: str
) -> None:
    (tmp_path / "twice").write_text("KEY=1\nKEY=2\n")
    (tmp_path / "set").write_text("KEY=1\n")
    before = sorted(os.listdir(tmp_path))
    server.asked()
    result = run(f"keys create app {options.format(tmp_path, tmp_path.name)}")
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert says in result.err
    assert sorted(os.listdir(tmp_path)) == before


def test_force_replaces_a_variable(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nKEY=old\n")
    assert run(f"keys create app --force --secret-env-file {tmp_path}/.env:KEY").code == 0
    values = dotenv_values(tmp_path / ".env")
    assert values["A"] == "1"
    assert works(run, values["KEY"] or "")


def test_a_place_may_be_named_after_the_key(run: CommandLine, tmp_path: Path) -> None:
    command = f"sh -c 'cat > /dev/null; echo $0 $SPECTRONCTL_KEY_ID > {tmp_path}/told' {{name}}"
    result = run(
        f"keys create app --secret-file {tmp_path}/{{context}}-{{name}}.key"
        f" --secret-command {shlex.quote(command)} -o json"
    )
    assert works(run, (tmp_path / "acme-prod-app.key").read_text())
    assert (tmp_path / "told").read_text() == f"app {result.json['id']}\n"


def test_a_name_that_climbs_out_of_the_directory_is_refused(
    run: CommandLine, server: Server, tmp_path: Path
) -> None:
    server.asked()
    result = run(f"keys create ../../x --secret-file {tmp_path}/{{name}}")
    assert (result.code, server.asked()) == (2, [])


def test_a_command_that_fails_says_that_no_one_holds_the_key(
    run: CommandLine, tmp_path: Path
) -> None:
    result = run(f"keys create app --secret-file {tmp_path}/key --secret-command false -o json")
    assert (result.code, result.out) == (1, "")
    error = result.error
    assert "command false failed with exit code 1" in error["message"]
    assert "must not have kept the secret" in error["hint"]
    assert "its secret is lost" in error["hint"]
    assert not (tmp_path / "key").exists()

    [key] = run("keys list -o json").json
    assert error["command"] == f"spectronctl keys rotate {key['id']} -c acme-prod"


def test_a_file_that_fails_after_another_place_says_who_holds_the_key(
    run: CommandLine, tmp_path: Path
) -> None:
    taken = shlex.quote(f"sh -c 'cat > /dev/null; echo theirs > {tmp_path}/key'")
    error = run(
        f"keys create app --secret-command {taken} --secret-file {tmp_path}/key -o json"
    ).error
    assert "its secret is only in command sh" in error["hint"]
    assert f"and not in file {tmp_path}/key" in error["message"]
    assert (tmp_path / "key").read_text() == "theirs\n"


def test_a_secret_that_was_kept_is_not_called_lost(
    run: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_the_place(draft: Path, target: Path) -> None:
        target.write_text("theirs\n")
        raise FileExistsError(17, os.strerror(17))

    monkeypatch.setattr(os, "link", take_the_place)
    error = run(f"keys create app --secret-file {tmp_path}/key -o json").error
    [kept] = tmp_path.glob("key.spectronctl-*")
    assert str(kept) in error["hint"]
    assert "secret is lost" not in error["hint"]
    assert works(run, kept.read_text())


@pytest.mark.parametrize("option", ["--secret-env-file {}/.env:KEY", "--secret-command cat"])
def test_a_terminal_is_no_matter_where_the_secret_goes_elsewhere(
    run: CommandLine, tmp_path: Path, option: str
) -> None:
    result = run(f"keys create app {option.format(tmp_path)}", terminal=True)
    assert result.code == 0, result.err


def test_a_management_key_goes_to_its_places_too(run_alone: CommandLine, tmp_path: Path) -> None:
    result = run_alone(
        f"serve keys create ci --store surrealkv://{tmp_path}/store"
        f" --secret-env-file {tmp_path}/.env:KEY --secret-file {tmp_path}/{{name}} -o json"
    )
    assert result.json["name"] == "ci"
    assert "secret" not in result.json
    [secret] = dotenv_values(tmp_path / ".env").values()
    assert (tmp_path / "ci").read_text().strip() == secret


def test_a_first_key_has_no_name_to_put_into_a_path(run_alone: CommandLine, tmp_path: Path) -> None:
    result = run_alone(
        f"serve --store mem:// --port 0 --bootstrap --secret-file {tmp_path}/{{name}}"
    )
    assert result.code == 2
    assert "{name}" in result.err
