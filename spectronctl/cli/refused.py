"""What is known of a key that a server refused: where it came from, and which key of which context it is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from spectronctl.errors import RequestError, SpectronctlError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.config.credentials import Credential


def explain_key(
    rt: Runtime, error: RequestError, context: str | None, credential: Credential, source: str
) -> None:
    """Say in the hint where the refused key came from, and what a management key at hand tells of it."""
    told = f"The key came from {source}"
    # It explains a failure, and may not fail itself: without a management key, nothing more is known.
    with suppress(SpectronctlError):
        if context is not None and credential != rt.settings.management_credential():
            from spectronctl.operations.keys import recognise_secret

            secret = rt.inputs.read_credential(credential)
            told = f"{told}; {recognise_secret(rt.client, context, secret)}"
    error.hint = f"{told}. {error.hint}" if error.hint else f"{told}."
