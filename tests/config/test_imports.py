from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("asyncio", "pydantic", "httpx", "rich", "typer", "tomlkit", "filelock", "subprocess")


@pytest.mark.parametrize(
    "module",
    [
        *("ground.times", "ground.redaction", "ground.http_problems", "ground.disk"),
        *("local.locations", "local.locks", "local.checkpoints", "local.seen"),
        *("config.values", "config.fields", "config.credentials"),
        *(
            "config.profiles",
            "config.checking",
            "config.loading",
            "config.editing",
            "config.resolve",
            "config.own_variables",
        ),
    ],
)
def test_start_up_stays_light(module: str) -> None:
    code = (
        f"import sys, spectronctl.{module}\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
