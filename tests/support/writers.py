"""Writers of files that a person depends on: a command, what is there before it, and what it may leave."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

CONFIG = ".config/spectronctl/config.toml"
OLD_CONFIG = """\
# kept by hand
version = 1

[profiles.prod]
url = "http://prod.test"
api_key = "sk-config-0123456789abcdef"
"""
OLD_DOTENV = "# kept by hand\nAGENT_KEY=sk-old\nOTHER=1\n"

_SEEN = r"\.cache/spectronctl/keys/\.[^/]*\.tmp"
_MINT = "keys create agent --if-exists rotate --yes"
_TRANSCRIPT = "sessions transcript {session} --output-file {home}/talk.jsonl"
_DRAFT = r"\.agent\.key\.spectronctl-\*"
_PART = r"talk\.jsonl\.part(\.json)?(\.new)?"
_READY = """
import sys
from pathlib import Path
from spectronctl.server.http.logs import configure_logs
from spectronctl.server.serving.ready_file import announce_ready
configure_logs("text")
with announce_ready(Path(sys.argv[1])) as announce:
    announce({"url": "http://127.0.0.1:1"})
"""
_HOLD = """
import sys
from spectronctl.server.store.holding import hold_store
with hold_store(f"surrealkv://{sys.argv[1]}", timeout=0, command="test") as held:
    held.announce("http://127.0.0.1:1")
"""


def is_secret(content: bytes) -> bool:
    return re.fullmatch(rb"sk-acme-prod-[\w-]{16,}\n", content) is not None


def is_dotenv(content: bytes) -> bool:
    pattern = rb"# kept by hand\nAGENT_KEY=\W?sk-acme-prod-[\w-]{16,}\W?\nOTHER=1\n"
    return re.fullmatch(pattern, content) is not None


def is_journal(content: bytes) -> bool:
    document = json.loads(content)
    return bool(document["version"] == 1 and document["step"])


def is_note(content: bytes) -> bool:
    return isinstance(json.loads(content)["pid"], int)


@dataclass(frozen=True)
class Writer:
    """
    `line` is run where `old` is, `again` after it was stopped: the same line unless it says so.

    `target` is a pattern below the home directory. `is_new` says that a content is a new one, whole; without it, it is
    what an undisturbed run writes. `lasts` is False for what means nothing once its process is gone. `leaves` is
    a pattern of what may be left over, since it is ignored; of what the next run goes on with or removes, `resumes`.
    `refuses` is what the next run may say when the new is there already. `again` need not make a new one when it only
    `finishes` what was begun. Only a cache may fail in silence.
    """

    name: str
    line: str
    target: str
    old: Mapping[str, str] = field(default_factory=dict)
    is_new: Callable[[bytes], bool] | None = None
    again: str | None = None
    script: str | None = None
    lasts: bool = True
    leaves: str | None = None
    resumes: str | None = None
    refuses: str | None = None
    is_cache: bool = False
    finishes: bool = False


def _edit(name: str, line: str, refuses: str | None = None) -> Writer:
    return Writer(name, line, CONFIG, {CONFIG: OLD_CONFIG}, refuses=refuses)


WRITERS = [
    _edit("profiles add", "profiles add extra --url http://extra.test", "already exists"),
    Writer(
        "a secret in a new file",
        "keys create fresh-{number} --secret-file {home}/agent.key",
        "agent.key",
        is_new=is_secret,
        again="keys create fresh-{number} --if-exists rotate --yes --secret-file {home}/agent.key --force",
        resumes=_DRAFT,
        leaves=_SEEN,
    ),
    Writer(
        "a secret in the place of another",
        f"{_MINT} --secret-file {{home}}/agent.key --force",
        "agent.key",
        {"agent.key": "sk-old\n"},
        is_new=is_secret,
        leaves=_SEEN,
    ),
    Writer(
        "a secret in a dotenv file",
        f"{_MINT} --secret-env-file {{home}}/.env:AGENT_KEY --force",
        ".env",
        {".env": OLD_DOTENV},
        is_new=is_dotenv,
        leaves=_SEEN,
    ),
    Writer(
        "the journal of a rotation",
        "keys rotate agent-{number} --overlap 1h --drain 0s --yes --secret-file {home}/agent.key --force",
        ".local/state/spectronctl/rotations/*.json",
        {"agent.key": "sk-old\n"},
        is_new=is_journal,
        again="keys rotations resume",
        finishes=True,
        resumes=_DRAFT,
        leaves=r"\.local/state/spectronctl/rotations/(locks/)?\.[^/]*\.tmp",
    ),
    Writer(
        "a transcript",
        _TRANSCRIPT,
        "talk.jsonl",
        again=f"{_TRANSCRIPT} --resume",
        resumes=_PART,
    ),
    Writer(
        "a transcript in the place of another",
        f"{_TRANSCRIPT} --force",
        "talk.jsonl",
        {"talk.jsonl": "old\n"},
        resumes=_PART,
    ),
    Writer(
        "the contexts seen",
        "contexts list",
        ".cache/spectronctl/contexts/[!.]*",
        is_cache=True,
        leaves=r"\.cache/spectronctl/contexts/\.[^/]*\.tmp",
    ),
    Writer(
        "a ready file",
        "{home}/ready.json",
        "ready.json",
        is_new=is_note,
        script=_READY,
        lasts=False,
    ),
    Writer(
        "the note of who holds a store",
        "{home}/store",
        "store.holder.json",
        is_new=is_note,
        script=_HOLD,
        lasts=False,
    ),
]

SISTERS = [
    _edit("profiles set", "profiles set prod context acme-prod"),
    _edit("profiles use", "profiles use prod"),
    _edit("profiles remove", "profiles remove prod", "no profile prod"),
    Writer(
        "the first profile",
        "profiles add extra --url http://extra.test",
        CONFIG,
        refuses="already exists",
    ),
]
"""They write as `profiles add` does."""

PYTHON = sys.executable
