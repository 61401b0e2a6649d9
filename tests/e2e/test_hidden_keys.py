"""What the programs that a command starts find of its keys, in their environment and their parent's: nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import NEEDS_ROOT

DUMP = """#!/bin/sh
{ env; tr '\\0' '\\n' < /proc/$PPID/environ; tr '\\0' '\\n' < /proc/$PPID/cmdline; } >> "$DUMPS/$1" 2>/dev/null
[ "$1" = stdin ] && cat > /dev/null
[ "$1" = helper ] && echo "$MK"
exit 0
"""

SCRIPT = """
set -e
spectronctl() { "$PYTHON" -m spectronctl "$@"; }
key=$SPECTRON_MANAGEMENT_API_KEY
spectronctl contexts create c --namespace a --database b -q
printf %s "$key" > management.key
export SPECTRON_CONTEXT_ID=c SPECTRON_API_KEY=sk-marked-1
export SPECTRONCTL_STORE_PASSWORD=marked-2 SPECTRON_API_KEY_X=marked-3
spectronctl keys create app --secret-command "$DUMP stdin" -q -o name
spectronctl keys rotate app --secret-command "$DUMP stdin" -q -o name --yes
spectronctl keys rotate app --secret-command "$DUMP fails" --leaked -q -o name --yes || true
spectronctl keys rotations resume -q -o name || true
spectronctl exec --key app -- "$DUMP" program
EDITOR="$DUMP editor" spectronctl ontology edit -q || true
spectronctl serve exec -- "$DUMP" served
unset SPECTRON_MANAGEMENT_API_KEY
spectronctl --api-key "$key" exec --key app -- "$DUMP" argument
export MK=$key U=$SPECTRON_URL
spectronctl profiles add named --url "$U" --api-key-env MK -q
spectronctl profiles add helped --url "$U" --api-key-command "$DUMP helper" -q
unset SPECTRON_URL
spectronctl --profile named exec --key app -- "$DUMP" named
spectronctl --profile helped contexts list -q -o name
"""


def test_no_program_finds_a_key_of_ours(tmp_path: Path) -> None:
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    dump = tmp_path / "dump"
    dump.write_text(DUMP)
    dump.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHON": sys.executable,
        "DUMP": str(dump),
        "DUMPS": str(dumps),
    }
    done = subprocess.run(
        [*(sys.executable, "-m", "spectronctl", "serve", "exec", "--"), "bash", "-c", SCRIPT],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    key = (tmp_path / "management.key").read_text()
    names = {path.name for path in dumps.iterdir()}
    assert names == {
        *("stdin", "fails", "program", "editor", "served", "argument", "named", "helper")
    }
    for path in dumps.iterdir():
        text = path.read_text()
        assert "DUMPS=" in text
        assert "marked" not in text, path.name
        if path.name == "helper":  # a program that prints a key may need what its operator named
            assert text.count(key) == 2
            continue
        assert key not in text, path.name


@NEEDS_ROOT
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc")
def test_another_process_of_the_same_user_is_kept_out_of_the_memory() -> None:
    start = (
        "import ctypes, os, subprocess\n"
        "from spectronctl.ground.concealment import conceal\n"
        "os.setresuid(4321, 4321, 4321)\n"
        "ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)\n"  # setresuid() alone would hide it
        "look = ['sh', '-c', '(: < /proc/$PPID/mem) 2> /dev/null && echo seen || echo kept out']\n"
        "subprocess.run(look)\n"
        "conceal({'MK'})\n"
        "subprocess.run(look)\n"
    )
    env = {"PYTHONPATH": str(Path(__file__).parents[2]), "MK": "mgmt-x", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", start], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "seen\nkept out\n", done.stderr


@pytest.mark.skipif(
    sys.platform != "linux", reason="other systems do not show what a process was started with"
)
@pytest.mark.parametrize("words", [["--api-key", "sk-a=b="], ["--api-key=sk-a=b="]])
def test_a_key_is_wiped_from_the_arguments_wherever_its_equals_signs_are(words: list[str]) -> None:
    program = (
        "from pathlib import Path; from spectronctl.ground.concealment import conceal;"
        "file = open('/proc/self/cmdline', 'rb'); conceal([], 'sk' + '-a=b='); print(file.read())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True
    )
    assert "sk-a" not in done.stdout
    assert "--api-key" in done.stdout
