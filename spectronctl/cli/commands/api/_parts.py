"""What a request of one's own carries: parameters, body and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.api.requests import READS, Reply, Request
from spectronctl.cli.commands._documents import load_bytes, name_file
from spectronctl.cli.commands._values import nest, parse_value, split_path
from spectronctl.cli.commands.api._forms import parse_part
from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.cli.commands.api._target import Target
    from spectronctl.cli.runtime import Runtime

# The body of a DELETE has no meaning by HTTP, so --field makes a parameter there; --data still sends one.
_WITH_QUERY = READS | {"DELETE"}
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e\t]*")
_RESERVED = frozenset(
    {
        *("authorization", "api-key", "proxy-authorization", "cookie"),
        *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "te"),
        *("trailer", "upgrade", "expect", "x-request-id"),
        # Frameworks that honour these would carry out another method than the one that was confirmed.
        *("x-http-method", "x-http-method-override", "x-method-override"),
    }
)
"""Headers that say who asks, where the request ends or which it is: spectronctl alone sets them."""


@dataclass(frozen=True, kw_only=True)
class PartOptions:
    """Everything that a request may carry."""

    data: Annotated[
        str | None,
        typer.Option("--data", "-d", metavar="JSON|@FILE|-", help="Send this body as it is."),
    ] = None
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            metavar="NAME=VALUE",
            help="Set a field of the JSON body (a.b is nested), or a parameter of GET and DELETE; @FILE reads VALUE.",
        ),
    ] = None
    form: Annotated[
        list[str] | None,
        typer.Option(
            "--form",
            metavar="NAME=VALUE|@FILE",
            help="Add a part to a multipart body; @FILE[;type=TYPE][;filename=NAME] sends a file, @- stdin.",
        ),
    ] = None
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="NAME:VALUE", help="Add this header."),
    ] = None

    def describe(self, rt: Runtime, method: str, target: Target) -> Request[Any]:
        """The whole request; UsageError for what does not fit, and for a secret that others could see."""
        in_query = method in _WITH_QUERY
        self._check(method)
        fields = [_parse_field(rt, text) for text in self.field or ()]
        headers = dict(self._read_headers())
        content, json = self._read_data(rt, headers)
        if not in_query and fields:
            json = _build_body(fields)
        return Request(
            method,
            target.path,
            Reply,
            params=_join_params(target.params, fields if in_query else []),
            json=json,
            content=content,
            parts=[parse_part(rt, text) for text in self.form or ()],
            headers=headers,
        )

    def _check(self, method: str) -> None:
        if (self.data is not None or self.form) and method in READS:
            raise UsageError(f"{method} carries no body", hint="Use --field for parameters.")
        fields = self.field if method not in _WITH_QUERY else None
        bodies = {"--data": self.data is not None, "--field": fields, "--form": self.form}
        if len(given := [option for option, value in bodies.items() if value]) > 1:
            raise UsageError(f"{' and '.join(given)} are two bodies; give one of them")

    def _read_headers(self) -> Iterator[tuple[str, str]]:
        seen = set()
        for text in self.header or ():
            name, value = _parse_header(text)
            if name.lower() in seen:
                raise UsageError(f"--header {name} is given twice")
            if self.form and name.lower() == "content-type":
                raise UsageError(
                    "--header Content-Type is not yours to set where --form makes the body",
                    hint="A file's own type follows it: --form 'file=@PATH;type=TYPE'.",
                )
            seen.add(name.lower())
            yield name, value

    def _read_data(self, rt: Runtime, headers: dict[str, str]) -> tuple[bytes | None, Any]:
        """The body's bytes, and what they say as JSON, which they are unless a Content-Type says otherwise."""
        from spectronctl.ground.redaction import find_secrets
        from spectronctl.output.parsing import parse_json

        if self.data is None:
            return None, None
        name, content = _read_bytes(rt, self.data)
        kinds = [value for name, value in headers.items() if name.lower() == "content-type"]
        if kinds and "json" not in kinds[0].lower():
            return content, None
        headers.update({} if kinds else {"Content-Type": "application/json"})
        body = parse_json(content, name)
        # From a file or stdin it is welcome: only what was typed is seen by `ps` and kept by the shell's history.
        if name == "--data" and any(find_secrets(body)):
            raise _refuse_secret("--data", "--data @FILE or --data -")
        # JSON on the wire must not begin with the mark that Windows editors write.
        return content.removeprefix(b"\xef\xbb\xbf"), body


def _parse_header(text: str) -> tuple[str, str]:
    """No message repeats the value: it may be a secret."""
    name, colon, value = text.partition(":")
    if not colon or not _NAME.fullmatch(name):
        raise UsageError("--header: a header of the form NAME:VALUE is needed")
    # CGI and WSGI make one variable of API-KEY and API_KEY: either would be taken for the key.
    if name.lower().replace("_", "-") in _RESERVED:
        raise UsageError(
            f"--header {name} is not yours to set",
            hint="The key comes from the profile or --api-key-file, the rest follows from the request.",
        )
    if not _VALUE.fullmatch(value):
        raise UsageError(
            f"--header {name}: its value holds a line break or what is not printable ASCII"
        )
    return name, value.strip()


def _parse_field(rt: Runtime, text: str) -> tuple[str, str, bool]:
    """A field's name, its value, and whether that was typed and not read from elsewhere."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError(f"--field {name!r}: a field of the form NAME=VALUE is needed")
    if not value.startswith("@"):
        return name, value, True
    return name, _drop_last_break(_read_text(rt, value.removeprefix("@"), name)), False


def _drop_last_break(text: str) -> str:
    """As `$(cat FILE)` reads it: an editor's last line break belongs to no value."""
    return text.removesuffix("\n").removesuffix("\r")


def _read_text(rt: Runtime, path: str, name: str) -> str:
    from spectronctl.ground.documents import DocumentError, decode_document

    try:
        return decode_document(load_bytes(rt, path, f"--field {name}"))
    except DocumentError as exc:
        raise UsageError(f"--field {name}: {path}{exc}") from None


def _read_bytes(rt: Runtime, data: str) -> tuple[str, bytes]:
    """Where the body is from, and the body."""
    if data != "-" and not data.startswith("@"):
        # The very bytes that were typed: Python keeps those of argv that are not UTF-8 as lone surrogates.
        return "--data", data.encode("utf-8", "surrogateescape")
    file = data.removeprefix("@")
    return name_file(file), load_bytes(rt, file, "--data")


def _build_body(fields: list[tuple[str, str, bool]]) -> dict[str, Any]:
    from spectronctl.ground.redaction import find_secrets

    body: dict[str, Any] = {}
    for name, text, is_typed in fields:
        names, _ = split_path(name, "--field")
        # What a file holds is always text: a note that reads 2024 does not become a number.
        value = parse_value(text, f"--field {name}") if is_typed else text
        if is_typed and any(find_secrets(nest(names, value))):
            raise _refuse_secret(f"--field {name}", f"--field {name}=@FILE or {name}=@-")
        _plant(body, names, value)
    return body


def _plant(body: dict[str, Any], names: tuple[str, ...], value: Any) -> None:
    """Put a value at its place, where nothing may be yet."""
    *above, last = names
    place: Any = body
    for name in above:
        place = place.setdefault(name, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last in place:
        raise UsageError(f"--field {'.'.join(names)} contradicts another --field")
    place[last] = value


def _join_params(
    params: Mapping[str, list[str]], fields: list[tuple[str, str, bool]]
) -> dict[str, str | list[str]]:
    """Every value of every parameter, those in the path first."""
    joined = {name: list(values) for name, values in params.items()}
    for name, value, _ in fields:
        joined.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in joined.items()}


def _refuse_secret(option: str, instead: str) -> UsageError:
    return UsageError(
        f"{option} cannot carry a provider's key: it would be visible to others",
        hint=f"Use {instead}.",
    )
