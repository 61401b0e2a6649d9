"""A key that can be read when it is needed, and is never shown."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Literal

from spectronctl.config.variables import KEY_VARIABLES, hide_variables
from spectronctl.errors import ConfigError
from spectronctl.local.locations import config_path, expand_home
from spectronctl.local.trust import check_trusted, find_shared

Kind = Literal["literal", "env", "file", "env-file", "stdin", "command"]

_MAX_KEY_BYTES = 65_536  # bytes; far above any key, far below a mistaken path such as a disk image
COMMAND_SECONDS = 60.0


@dataclass(frozen=True)
class Credential:
    """
    Where a key is: `source` says it in words, by `kind` `value` is the key, a variable, a path, `PATH:NAME` or a
    program.

    `value` may be the key itself, so it has no place in the repr.
    """

    kind: Kind
    source: str
    value: str | tuple[str, ...] = field(default="", repr=False)

    @property
    def is_visible(self) -> bool:
        """Whether the key stood on the command line, where `ps` and the shell's history show it."""
        return self.kind == "literal" and self.source == "--api-key"

    def find_shared_file(self, env: Mapping[str, str]) -> str | None:
        """
        The file with the key, if all users can read it, or others write it, and this user can change that.

        Mounted secrets (Kubernetes, Docker) are readable by design, on a disk that is read-only or another user's.
        """
        if self.kind not in ("file", "env-file") or isinstance(self.value, tuple):
            return None
        path = self.value.rpartition(":")[0] if self.kind == "env-file" else self.value
        return find_shared(expand_home(path, env))

    def read(
        self,
        env: Mapping[str, str],
        read_stdin: Callable[[str], str],
        *,
        seconds: float = COMMAND_SECONDS,
    ) -> str:
        """
        The key without surrounding white space; ConfigError.

        `read_stdin` is told what wants all of stdin; a program has so many `seconds`.
        """
        return check_secret(self._fetch(env, read_stdin, seconds), self.source)

    def _fetch(
        self, env: Mapping[str, str], read_stdin: Callable[[str], str], seconds: float
    ) -> str:
        if isinstance(self.value, tuple):
            # Looked at when the program is about to run, and not when the file was read: then other settings would be
            # refused too.
            check_trusted(config_path(env))  # the one place that names such a program
            return _run(self.value, env, self.source, seconds)
        if self.kind == "env":
            return _read_variable(self.value, env, self.source)
        if self.kind == "env-file":
            return _read_env_file(expand_home(self.value, env), self.source)
        if self.kind == "file":
            return _read_file(expand_home(self.value, env), self.source)
        return _read_stdin(read_stdin, self.source) if self.kind == "stdin" else self.value


def file_credential(path: str, source: str) -> Credential:
    """A key file named by a flag or variable, where `-` is standard input."""
    if path == "-":
        return Credential("stdin", f"{source} -")
    return Credential("file", source, path)


def parse_source(text: str, source: str) -> Credential | None:
    """The key that `env:VAR`, `file:PATH`, `env-file:PATH:NAME` or `-` stands for; None for anything else."""
    if text == "-":
        return Credential("stdin", source)
    kind, _, where = text.partition(":")
    match kind:
        case "env" | "file" if where:
            return Credential(kind, source, where)
        case "env-file" if all(where.rpartition(":")):
            return Credential(kind, source, where)
    return None


def check_secret(text: str, source: str) -> str:
    """The key in `text`, or a ConfigError that names the source: empty, several lines, or unfit for a header."""
    # The mark that editors of Windows put first is no white space to strip().
    secret = text.removeprefix("\ufeff").strip()
    if not secret:
        raise ConfigError(f"the key from {source} is empty")
    if "\n" in secret or "\r" in secret:
        raise ConfigError(f"the key from {source} has a line break inside; a key is one line")
    if not (secret.isascii() and secret.isprintable()):
        raise ConfigError(
            f"the key from {source} holds a control character or one outside ASCII",
            hint="A copy from a web page or a document may have changed it: copy the key again.",
        )
    return secret


def digest(secret: str) -> str:
    """What may be shown instead of a key, to tell two of them apart."""
    # A key is too random to be guessed from its digest.
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()[:12]


def _read_variable(name: str, env: Mapping[str, str], source: str) -> str:
    if name not in env:
        raise ConfigError(f"the environment variable {name} is not set ({source})")
    return env[name]


def _read_file(path: str, source: str) -> str:
    try:
        with open(path, "rb") as file:
            # One byte more than is allowed says that it is too much, also of /dev/zero, whose size is 0.
            content = file.read(_MAX_KEY_BYTES + 1)
    # ValueError is a NUL byte in the path.
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise ConfigError(f"the key file {path} cannot be read: {reason} ({source})") from None
    return _decode(content, f"{source} ({path})")


def _read_env_file(where: str, source: str) -> str:
    from dotenv.parser import parse_stream

    path, _, name = where.rpartition(":")
    # The parser alone: python-dotenv's own functions also fill in `${NAME}`, and a key may hold a $.
    lines = parse_stream(StringIO(_read_file(path, source)))
    values = [line.value for line in lines if line.key == name]
    # Twice is refused: a shell takes the last and a person the first, and a wrong key may well be an old one.
    if len(values) != 1:
        problem = f"sets {name} {len(values)} times" if values else f"has no {name}"
        raise ConfigError(f"the env file {path} {problem} ({source})")
    return values[0] or ""


def _read_stdin(read_stdin: Callable[[str], str], source: str) -> str:
    try:
        return read_stdin(source)
    except (OSError, ValueError):
        raise ConfigError(f"no text can be read from standard input ({source})") from None


def _decode(content: bytes, source: str) -> str:
    if len(content) > _MAX_KEY_BYTES:
        raise ConfigError(f"{source} is too long to be a key")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{source} is not text") from None


def _run(argv: tuple[str, ...], env: Mapping[str, str], source: str, seconds: float) -> str:
    """The program's stdout; it can ask a person on our stdin and stderr; its arguments stay unsaid."""
    from spectronctl.ground.programs import describe_exit, read_output

    program = expand_home(argv[0], env)
    try:
        # stdin and stderr are inherited, since a password manager asks for its password there.
        code, printed = read_output(
            [program, *argv[1:]],
            seconds=seconds,
            limit=_MAX_KEY_BYTES + 1,
            env=hide_variables(env, KEY_VARIABLES),
        )
    except TimeoutError:
        raise ConfigError(f"{program} printed no key within {seconds:g} s ({source})") from None
    except ChildProcessError:
        raise ConfigError(
            f"{program} ended, and whether it has failed cannot be known ({source})"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a program"
        raise ConfigError(f"{program} cannot be run: {reason} ({source})") from None
    if code:
        raise ConfigError(f"{os.path.basename(program)} {describe_exit(code)} ({source})")
    return _decode(printed, f"what {program} printed")
