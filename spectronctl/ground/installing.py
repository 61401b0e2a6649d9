"""
How this installation gets an extra: from where it came from, by the program that made it.

The name `spectronctl` is on no index: a hint to install it by that name would have people run what strangers register.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from importlib.metadata import Distribution

NAME = "spectronctl"
EXTRA = "local"

EXTRA_HINT = f"It comes with the extra `{EXTRA}`: install it from where {NAME} was installed from."


def find_install_command() -> str | None:
    """The command that adds the extra `local` to this installation; None where nothing says where it came from."""
    from importlib import metadata  # only where something is missing

    try:
        found = metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        return None
    source = _read_source(found)
    return (
        format_install(source, found.read_text("INSTALLER") or "", sys.prefix) if source else None
    )


def _read_source(found: Distribution) -> dict[str, Any] | None:
    """PEP 610: there is such a record for a checkout, a repository or a file, and none for an index."""
    try:
        source = json.loads(found.read_text("direct_url.json") or "null")
        return source if isinstance(source, dict) and isinstance(source["url"], str) else None
    except (ValueError, KeyError):
        return None


def format_install(source: Mapping[str, Any], installer: str, prefix: str) -> str:
    """The command for a source as PEP 610 records it, by the program that made the environment at `prefix`."""
    parts = Path(prefix).parts
    # Both make a program's environment anew from their own record of what was asked for: what pip adds to it behind
    # their back is not in there.
    if "pipx" in parts:
        program = "pipx install --force"
    elif "uv" in parts and "tools" in parts:
        program = "uv tool install --force"
    elif installer.strip() == "uv":
        # uv makes environments without pip, and on its own installs into the active one, which need not be this.
        program = f"uv pip install --python {shlex.quote(prefix)}"
    else:
        # Not the `pip` on the PATH: it may be another Python's.
        program = f"{shlex.quote(sys.executable)} -m pip install"
    editable = ["--editable"] if source.get("dir_info", {}).get("editable") else []
    return " ".join([program, *editable, shlex.quote(_format_requirement(source))])


def _format_requirement(source: Mapping[str, Any]) -> str:
    url = re.sub(r"(?<=://)[^/@]*:[^/@]*@", "", source["url"])  # no password in a message
    if "dir_info" in source:
        from urllib.request import url2pathname

        return f"{url2pathname(urlsplit(url).path)}[{EXTRA}]"
    vcs = source.get("vcs_info")
    if vcs:
        url = f"{vcs['vcs']}+{url}@{vcs.get('requested_revision') or vcs['commit_id']}"
    folder = f"#subdirectory={source['subdirectory']}" if source.get("subdirectory") else ""
    return f"{NAME}[{EXTRA}] @ {url}{folder}"
