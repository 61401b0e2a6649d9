"""What a server calls a secret is looked at before it goes anywhere."""

from __future__ import annotations

import shlex
from typing import TypeVar

from spectronctl.errors import UpstreamError
from spectronctl.ground.vocabulary import SECRET
from spectronctl.models.keys import MintedKey
from spectronctl.models.management_keys import MintedManagementKey

AnyMinted = TypeVar("AnyMinted", MintedKey, MintedManagementKey)


def check_minted(context_id: str, minted: MintedKey) -> MintedKey:
    """The key of a context; UpstreamError as `check_secret` says."""
    return check_secret(minted, f"spectronctl keys delete {shlex.quote(minted.id)} -c {context_id}")


def check_secret(minted: AnyMinted, delete: str) -> AnyMinted:
    """
    The key; UpstreamError unless its secret is one plain token. `delete` is the command that deletes it.

    A secret goes into dotenv files that shells source, and on the stdin of programs: what a server that lies puts into
    it would be run there.
    """
    if SECRET.fullmatch(minted.secret):
        return minted
    raise UpstreamError(
        f"the server's secret for key {minted.name} ({minted.id}) is no plain token:"
        " it was written nowhere",
        hint="The key exists, and nothing holds the secret that it has now. Delete it.",
        command=delete,
        outcome_unknown=True,  # the key is there, and there is nothing to use it with
    )
