"""`spectronctl exec` as a process: what its program can do, whom signals reach, and that the key is gone."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pexpect
import pytest

from spectronctl.ground.times import parse_time
from tests.support.processes import SPECTRONCTL, Serve, Served, Shell
from tests.support.proxies import Proxy

PROGRAM = """
import glob, json, os, sys, urllib.request
url, context, key = (os.environ[f"SPECTRON_{name}"] for name in ("URL", "CONTEXT_ID", "API_KEY"))
open(sys.argv[1], "w").write(key)
request = urllib.request.Request(f"{url}/api/v1/{context}/me", headers={"API-KEY": key})
who = json.load(urllib.request.urlopen(request))
lines = []
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        lines.append(open(path, "rb").read())
    except OSError:
        pass
print(json.dumps({
    "who": who,
    "seen": sum(key.encode() in line for line in lines),
    "lines": len(lines),
    "names": sorted(name for name in os.environ if name.startswith("SPECTRON")),
    "stdin": sys.stdin.read(),
}))
"""

LISTENER = """
import os, signal, sys, time
def end(number, frame):
    os.write(1, signal.Signals(number).name.encode() + b"\\n")
    sys.exit(7)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
os.write(1, b"ready\\n")
time.sleep(60)
"""


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell on a server that has the context acme-prod, with the key app: every test leaves it as it was."""
    shell = Shell(tmp_path_factory.mktemp("exec"))
    key_file = shell.home / "management-key"
    line = f"serve --store mem:// --port 0 --bootstrap --secret-file {key_file}"
    process = shell.start(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout
    served = Served(process, json.loads(process.stdout.readline())["url"], key_file)
    shell.env |= {**served.env, "SPECTRON_CONTEXT_ID": "acme-prod"}
    assert shell("contexts create acme-prod --namespace acme --database prod").returncode == 0
    assert shell("keys create app --scope-floor org=acme -o json").returncode == 0
    yield shell
    served.kill()


def list_names(shell: Shell) -> list[str]:
    return shell("keys list -o name").stdout.split()


@contextlib.contextmanager
def listening(shell: Shell) -> Iterator[subprocess.Popen[str]]:
    """The command, in a session of its own, with a program that is ready for signals."""
    line = f"exec --key app -- {sys.executable} -c {shlex.quote(LISTENER)}"
    process = shell.start(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_the_program_can_use_its_key_and_afterwards_no_one_can(acme: Shell, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    line = f"exec --debug --key app -- {sys.executable} -c {shlex.quote(PROGRAM)} {kept}"
    done = acme(line, stdin="through")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["who"]["keyName"].startswith("app.exec-")
    assert told["who"]["effectiveGrants"]["memory:read"] == ["org/acme/*"]
    assert (told["seen"], told["lines"] > 1, told["stdin"]) == (0, True, "through")
    assert told["names"] == [
        "SPECTRONCTL_CONFIG",
        "SPECTRON_API_KEY",
        "SPECTRON_CONTEXT_ID",
        "SPECTRON_URL",
    ]

    key = kept.read_text()
    assert key not in done.stderr
    assert "POST /api/v1/contexts/acme-prod/keys 201" in done.stderr
    url = f"{acme.env['SPECTRON_URL']}/api/v1/acme-prod/me"
    assert httpx.get(url, headers={"API-KEY": key}).status_code == 401
    assert list_names(acme) == ["app"]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("kept", ["api_key", "api_key_env"])
def test_a_spectronctl_that_it_runs_has_the_minted_key_and_no_other(
    acme: Shell, kept: str, tmp_path: Path
) -> None:
    key = Path(acme.env["SPECTRONCTL_API_KEY_FILE"]).read_text().strip()
    value = key if kept == "api_key" else "OURS"
    config = tmp_path / "config.toml"
    config.write_text(
        f'profile = "p"\n[profiles.p]\nurl = "{acme.env["SPECTRON_URL"]}"\n{kept} = "{value}"\n'
        f'[profiles.p.context_keys.acme-prod]\n{kept} = "{value}"\n'
    )
    config.chmod(0o600)
    env = {"SPECTRONCTL_CONFIG": str(config), "SPECTRONCTL_PROFILE": "p", "OURS": key}

    who = acme("exec --key app -- spectronctl whoami -o json", env=env)
    assert who.returncode == 0, who.stderr
    assert json.loads(who.stdout)["key_name"].startswith("app.exec-")
    whole = acme("exec --key app -- spectronctl whoami --plane management", env=env)
    assert (whole.returncode, whole.stdout) == (3, "")
    assert "no management key to send" in whole.stderr
    diagnosis = acme("exec --key app -- spectronctl doctor", env=env)
    assert "chmod" not in diagnosis.stdout + diagnosis.stderr


def test_the_exit_code_is_the_programs(acme: Shell, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("exit 0\n")
    for program, code in (
        ("true", 0),
        ("sh -c 'exit 3'", 3),
        ("sh -c 'kill -9 $$'", 128 + 9),
        ("absent", 127),
        (str(plain), 126),
        ("spectronctl exec --key app --scope-floor org=acme -- true", 3),
    ):
        done = acme(f"exec --key app -- {program}")
        assert (done.returncode, done.stdout) == (code, ""), program
    assert list_names(acme) == ["app"]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_program_and_the_key_is_deleted(
    acme: Shell, number: signal.Signals
) -> None:
    with listening(acme) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (7, f"{number.name}\n", "")
    assert list_names(acme) == ["app"]


def test_ctrl_c_ends_the_program_and_the_key_is_deleted(acme: Shell) -> None:
    terminal = pexpect.spawn(
        SPECTRONCTL,
        ["exec", "--key", "app", "--", sys.executable, "-c", LISTENER],
        env=acme.environment(),
        timeout=30,
        encoding="utf-8",
    )
    try:
        terminal.expect_exact("ready")
        terminal.sendintr()
        terminal.expect_exact("SIGINT")
        terminal.expect(pexpect.EOF)
        terminal.wait()
    finally:
        terminal.close(force=True)
    assert terminal.exitstatus == 7
    assert list_names(acme) == ["app"]


@pytest.fixture
def proxy(acme: Shell) -> Iterator[Proxy]:
    """What stands between a command and the server, for a command that names it with --url."""
    proxy = Proxy(acme.env["SPECTRON_URL"])
    yield proxy
    proxy.close()
    assert proxy.failures == []


def interrupt_minting(
    acme: Shell, proxy: Proxy, number: signal.Signals, *, always: bool
) -> subprocess.Popen[str]:
    """The command, told to end while the answer to its minting does not come; with `always` no other comes either."""
    proxy.spoil(2, "no answer", always=always)  # after the listings
    process = acme.start(
        f"exec --key app --url {proxy.url} -- true", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_for_requests(proxy, 3)
    process.send_signal(number)
    return process


def wait_for_requests(proxy: Proxy, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(proxy.carried_out) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interrupted_while_its_key_is_minted_it_leaves_none(
    acme: Shell, proxy: Proxy, number: signal.Signals
) -> None:
    process = interrupt_minting(acme, proxy, number, always=False)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert list_names(acme) == ["app"]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interrupted_twice_it_names_the_key_that_may_be_left(
    acme: Shell, proxy: Proxy, number: signal.Signals
) -> None:
    process = interrupt_minting(acme, proxy, number, always=True)
    wait_for_requests(proxy, 4)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err.splitlines()[-1]) == (130, "interrupted")
    (name,) = {key for key in list_names(acme) if key != "app"}
    assert f"Key {name} may be left until 2" in err
    command = f"keys delete {name} -c acme-prod --if-missing ok"
    assert f"try: spectronctl {command} --url {proxy.url}" in err
    assert acme(f"{command} --yes").returncode == 0
    assert list_names(acme) == ["app"]


def test_killed_it_leaves_a_key_that_ends_by_itself(acme: Shell) -> None:
    with listening(acme) as process:
        process.kill()
        process.wait(20)
        left = json.loads(acme("keys list -o json").stdout)[-1]
        assert acme(f"keys delete {left['id']} --yes").returncode == 0
    assert left["name"].startswith("app.exec-")
    ends = parse_time(left["expires_at"])
    assert ends
    assert 23 < (ends - datetime.now(UTC)).total_seconds() / 3600 <= 24


def test_a_server_that_ends_meanwhile_is_told_with_the_command_that_deletes_the_key(
    serve: Serve, shell: Shell
) -> None:
    served = serve()
    shell.env |= {**served.env, "SPECTRON_CONTEXT_ID": "acme-prod"}
    assert shell("contexts create acme-prod --namespace acme --database prod").returncode == 0
    options = "--key job --principal agent --retries 0"
    done = shell(f"exec {options} -- sh -c 'kill -9 {served.process.pid}; sleep 0.2'")
    assert (done.returncode, done.stdout) == (9, "")
    assert "try: spectronctl keys delete cak_" in done.stderr
    assert "job.exec-" in done.stderr
