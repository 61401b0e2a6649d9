"""A server in a process of its own, as `spectronctl serve` runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCRIPT = """
import gc, json, os, sys
gc.set_threshold(100_000, 50, 100)  # as spectronctl.cli.enter does
from pathlib import Path
from functools import partial
from spectronctl.errors import SpectronctlError
from spectronctl.server.serving import listening, protocol

options = json.loads(sys.argv[1])
if "files" in options:
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (options.pop("files"),) * 2)
protocol.PATIENCE_SECONDS = options.pop("patience", 20)
body_seconds = options.pop("body_seconds", 60)
listening.create_app = partial(listening.create_app, max_body_seconds=body_seconds)
listening._GRACE_SECONDS = options.pop("grace", 30)
key_file = Path(options.pop("key_file"))
for name in ("certificate", "key"):
    if name in options:
        options.setdefault("tls", {})[name] = Path(options.pop(name))
if "tls" in options:
    options["tls"] = listening.Tls(**options["tls"])
if "ready_file" in options:
    options["ready_file"] = Path(options["ready_file"])
try:
    listening.serve(**options, deliver_first_key=key_file.write_text)
    code = 0
except SpectronctlError as error:
    sys.stderr.write(f"{type(error).__name__}: {error.message} ({error.hint})")
    code = error.exit_code
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)  # as spectronctl.cli.enter does, for the same reason
"""


@dataclass
class Served:
    """A server that is starting, or runs. Its first management key is in `key_file`."""

    process: subprocess.Popen[str]
    key_file: Path
    log_file: Path
    ready: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def key(self) -> str:
        return self.key_file.read_text(encoding="utf-8")

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Its exit status, what more it said on stdout, and its log."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str, str]:
        out, _ = self.process.communicate(timeout=30)
        return self.process.returncode, out, self.log_file.read_text(encoding="utf-8")


def start(directory: Path, store_url: str = "mem://", **options: Any) -> Served:
    """Start a server on a free port and wait until it is ready, or has given up."""
    key_file = directory / "first-key"
    options = {"port": 0, "key_file": str(key_file), "store_url": store_url, **options}
    # The log goes to a file: a pipe would have no reader, and a full one would stop the server.
    log_file = directory / f"{uuid.uuid4()}.log"
    with log_file.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, json.dumps(options)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    return Served(process, key_file, log_file, json.loads(line) if line else {})
