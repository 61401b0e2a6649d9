"""`spectronctl whoami`"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.api import identity
from spectronctl.cli._typer import App, Context
from spectronctl.errors import AuthError, SpectronctlError
from spectronctl.output.views import Column, View

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.config.credentials import Credential
    from spectronctl.models.identity import Identity

app = App()

IDENTITY = View(
    columns=(
        Column("principal_id"),
        Column("kind"),
        Column("display_name"),
        Column("key_name", optional=True),
        Column("effective_grants"),
    ),
    wide=(Column("grants"), Column("token_grants"), Column("delegated_principal_id")),
    name="principal_id",
)
OPERATOR = View(
    columns=(Column("principal_id"), Column("server"), Column("key"), Column("source")),
    name="principal_id",
)


def _list_planes(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    return ({"plane": plane, **standing} for plane, standing in body.items())


BOTH = View(
    columns=(
        Column("plane", kind="id"),
        Column("principal_id", "identity.principal_id", kind="id"),
        Column("accepted", kind="id"),
        Column("key", kind="id"),
        Column("source"),
        Column("problem", kind="words", optional=True),
    ),
    wide=(Column("effective_grants", "identity.effective_grants"),),
    name="plane",
    plural="planes",
    parts=_list_planes,
)


class Plane(StrEnum):
    """Where a key is asked who it is."""

    MANAGEMENT = "management"
    CONTEXT = "context"
    BOTH = "both"


@app.command()
def whoami(
    ctx: Context,
    plane: Annotated[
        Plane | None,
        typer.Option(
            "--plane", help="Choose the key; by default that of the context, if one is chosen."
        ),
    ] = None,
) -> None:
    """
    Show who a key is, and what it may do.

    The response of `context` is the server's own: principal_id, kind, display_name, grants, effective_grants.
    `management` says principal_id, server, key (a digest) and source (where the key is from). `both` is an object of
    the two planes, each with key, source, accepted, identity and problem. A key that is refused is an error (exit 3
    or 4); of `both` only when both are.

    Examples:
      spectronctl whoami
      spectronctl whoami --plane both
    """
    rt = ctx.runtime
    chosen = plane or (Plane.CONTEXT if rt.settings.context.value else Plane.MANAGEMENT)
    view, describe = _PLANES[chosen]
    rt.out.check(view)
    rt.out.show(describe(rt), view)


def _describe_context(rt: Runtime) -> dict[str, Any]:
    return _identify(rt, rt.context).to_dict()


def _identify(rt: Runtime, context: str) -> Identity:
    return rt.clients.of_context(context).send(identity.get_identity(context))


def _describe_operator(rt: Runtime) -> dict[str, Any]:
    from spectronctl.operations.identities import identify_operator

    found = identify_operator(rt.client).to_dict()
    return {
        **found,
        "server": "the local store" if rt.settings.is_local else rt.settings.url.value,
        **_describe_key(rt, rt.settings.management_credential),
    }


def _describe_both(rt: Runtime) -> dict[str, Any]:
    from spectronctl.operations.identities import identify_all, identify_operator

    context, settings = rt.context, rt.settings
    found = identify_all(
        {
            Plane.MANAGEMENT: lambda: identify_operator(rt.client),
            Plane.CONTEXT: lambda: _identify(rt, context),
        }
    )
    keys: dict[str, Callable[[], Credential | None]] = {
        Plane.MANAGEMENT: settings.management_credential,
        Plane.CONTEXT: partial(settings.data_plane_credential, context),
    }
    return {
        str(plane): {**_describe_key(rt, keys[plane]), **_describe_response(response)}
        for plane, response in found.items()
    }


def _describe_key(rt: Runtime, find: Callable[[], Credential | None]) -> dict[str, str | None]:
    """The digest of the key that was sent, and where it is from; nothing where none was."""
    from spectronctl.config.credentials import digest

    try:
        credential = find()
    except AuthError:  # another server's
        credential = None
    if credential is None:
        return {"key": None, "source": None}
    return {"key": digest(rt.inputs.read_credential(credential)), "source": credential.source}


def _describe_response(response: Identity | SpectronctlError) -> dict[str, Any]:
    if isinstance(response, SpectronctlError):
        return {"accepted": False, "identity": None, "problem": response.text}
    return {"accepted": True, "identity": response.to_dict(), "problem": None}


_PLANES: dict[Plane, tuple[View, Callable[[Runtime], dict[str, Any]]]] = {
    Plane.MANAGEMENT: (OPERATOR, _describe_operator),
    Plane.CONTEXT: (IDENTITY, _describe_context),
    Plane.BOTH: (BOTH, _describe_both),
}
