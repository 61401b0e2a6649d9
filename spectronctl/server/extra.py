"""What the server needs beyond the rest of the program: the extra `local`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spectronctl.errors import ConfigError


@contextmanager
def server_parts() -> Iterator[None]:
    """Import what the server needs, or say how to install it."""
    try:
        yield
    except ModuleNotFoundError as exc:
        raise ConfigError(
            f"the embedded server is not installed: there is no {exc.name}",
            hint="It comes with the extra `local`.",
            command="pip install 'spectronctl[local]'",
        ) from None
