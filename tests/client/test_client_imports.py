"""What an import costs: a program pays for what it uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from spectronctl import client


def modules_after(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running this."""
    script = f"{code}\nimport sys; print(*(name for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["spectronctl", "spectronctl.client"])
def test_importing_a_package_imports_nothing_heavy(module: str) -> None:
    heavy = {"httpx", "pydantic", "asyncio", "ssl", "truststore", "rich", "typer"}
    assert not heavy & modules_after(f"import {module}")


@pytest.mark.parametrize(
    "code",
    [
        "from spectronctl.client import Client; Client('http://h').close()",
        "from spectronctl import SyncSpectronManagement; SyncSpectronManagement('http://h').close()",
    ],
)
def test_the_synchronous_client_imports_no_asyncio_and_no_command_line(code: str) -> None:
    loaded = modules_after(code)
    assert "httpx" in loaded
    assert not {"asyncio", "click", "rich", "pygments", "truststore"} & loaded


def test_httpx_keeps_its_own_command_line_for_others() -> None:
    assert "rich" in modules_after("import spectronctl.client._sync; import httpx._main")


def test_every_name_of_the_client_resolves() -> None:
    for name in client.__all__:
        assert getattr(client, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        getattr(client, "Nothing")  # noqa: B009 - what a user's attribute access does
