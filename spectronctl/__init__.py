"""
Operate Spectron, SurrealDB's memory server for AI agents.

    from spectronctl import SpectronManagement

    admin = SpectronManagement("https://spectron.example.com", api_key=key)
    await admin.contexts.create(id="acme-prod", namespace="acme", database="prod")

`SyncSpectronManagement` is the same without `await`.
Names resolve on first use, so importing the package costs nothing.
"""

from __future__ import annotations

# Every command imports this before it can catch Ctrl-C: no `typing`, and nothing else that takes a while.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from spectronctl.client import SpectronManagement, SyncSpectronManagement
    from spectronctl.errors import (
        AuthError,
        BusyError,
        ConfigError,
        ConflictError,
        DeclinedError,
        ForbiddenError,
        InvalidError,
        NetworkError,
        NotAvailableError,
        NotFoundError,
        RateLimitedError,
        RequestError,
        SpectronctlError,
        UpstreamError,
        UsageError,
        WaitTimeoutError,
    )

__version__ = "0.1.0"

__all__ = [
    "SpectronManagement",
    "SyncSpectronManagement",
    "SpectronctlError",
    "UsageError",
    "DeclinedError",
    "ConfigError",
    "WaitTimeoutError",
    "RequestError",
    "AuthError",
    "ForbiddenError",
    "NotFoundError",
    "ConflictError",
    "BusyError",
    "InvalidError",
    "RateLimitedError",
    "UpstreamError",
    "NotAvailableError",
    "NetworkError",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = "spectronctl.errors" if name.endswith("Error") else "spectronctl.client"
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
