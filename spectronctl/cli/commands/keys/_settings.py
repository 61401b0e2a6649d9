"""What a new key is to be: its options, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from spectronctl.cli.commands.keys._options import read_duration
from spectronctl.errors import UsageError
from spectronctl.ground.documents import DocumentError, parse_json
from spectronctl.ground.times import parse_strict_time
from spectronctl.ground.vocabulary import Principal

_FLOOR_HINT = (
    'Write org=acme,agent=planner, or JSON such as \'{"org": "acme"}\' or \'["org/acme"]\'.'
)


@dataclass(frozen=True, kw_only=True)
class SettingOptions:
    """Everything that may be said of a new key."""

    principal: Annotated[
        Principal,
        typer.Option("--principal", help="Grant these rights to the key.", show_default=True),
    ] = "agent"
    principal_id: Annotated[
        str | None,
        typer.Option(
            "--principal-id", metavar="ID", help="Let the key act for this existing principal."
        ),
    ] = None
    scope_floor: Annotated[
        str | None,
        typer.Option("--scope-floor", metavar="A=B,C=D|JSON", help="Limit the key to this scope."),
    ] = None
    expires_at: Annotated[
        str | None,
        typer.Option(
            "--expires-at", metavar="TIME", help="Let the key expire at this RFC 3339 time."
        ),
    ] = None
    expires_in: Annotated[
        str | None,
        typer.Option(
            "--expires-in",
            "--ttl",
            metavar="DURATION",
            help="Let the key expire after this duration, such as 90d.",
        ),
    ] = None

    @property
    def rights(self) -> tuple[str, ...]:
        """The settings that say what the key may do."""
        return ("principal_id" if self.principal_id else "principal", "scope_floor")

    def read(self) -> dict[str, Any]:
        """The settings as the server takes them; UsageError names the option that does not fit."""
        if self.expires_at is not None and self.expires_in is not None:
            raise UsageError("--expires-at and --expires-in cannot be used together")
        # Only checked: the server gets the time as it was typed, with its zone.
        _check_expiry(self.expires_at)
        return {
            "principal": self.principal,
            "principal_id": self.principal_id,
            "scope_floor": parse_scope_floor(self.scope_floor),
            "expires_at": self.expires_at,
            "expires_in": None if self.expires_in is None else parse_lifetime(self.expires_in),
        }


def _check_expiry(text: str | None) -> None:
    if text is None:
        return
    moment = parse_strict_time(text)
    if moment is None:
        raise UsageError(
            f"--expires-at {text!r} is not a time with its zone as in RFC 3339",
            hint="Write it as 2030-01-15T10:00:00Z, or give a length of time with --expires-in.",
        )


def parse_lifetime(text: str) -> int:
    """`--expires-in` in seconds, one at least; UsageError."""
    seconds = read_duration(text, "--expires-in")
    if seconds == 0:
        raise UsageError("--expires-in: a time longer than 0 is needed")
    # The server takes whole seconds, and 0 would be no lifetime.
    return max(1, round(seconds))


def parse_scope_floor(text: str | None) -> Any:
    """`org=acme,agent=planner`, or JSON as the server takes it: an object, a path or a list of paths."""
    if text is None:
        return None
    try:
        floor = parse_json(text)
    except DocumentError as exc:
        # It was meant as JSON: to be told that it is no pairs would mislead.
        if text.lstrip().startswith(("{", "[", '"')):
            raise UsageError(f"--scope-floor{exc}", hint=_FLOOR_HINT) from None
        return _parse_pairs(text)
    if not isinstance(floor, dict | list | str) or not floor:
        raise UsageError(f"--scope-floor {text} bounds nothing", hint=_FLOOR_HINT)
    return floor


def _parse_pairs(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(name.strip() and equals and value.strip() for name, equals, value in pairs):
        raise UsageError(f"--scope-floor {text!r} is neither JSON nor pairs", hint=_FLOOR_HINT)
    return _collect((name.strip(), value.strip()) for name, _, value in pairs)


def _collect(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    floor: dict[str, Any] = {}
    for name, value in pairs:
        if name in floor:
            raise UsageError(f"--scope-floor names {name} twice", hint=_FLOOR_HINT)
        floor[name] = value
    return floor
