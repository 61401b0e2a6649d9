"""What the server needs beyond the rest of the program: the extra `local`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spectronctl.errors import ConfigError
from spectronctl.ground.installing import EXTRA_HINT, find_install_command


@contextmanager
def server_parts() -> Iterator[None]:
    """Import what the server needs, or say how to install it."""
    try:
        yield
    except ModuleNotFoundError as exc:
        raise ConfigError(
            f"the embedded server is not installed: there is no {exc.name}",
            hint=EXTRA_HINT,
            command=find_install_command(),
        ) from None
