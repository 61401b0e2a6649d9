"""How models fail."""

from __future__ import annotations


class ProviderError(Exception):
    """
    A model gave no usable response.

    The message is one line for an operator and for a job's record: without a secret, and without a provider's text.
    """


class BlockedModelsError(ProviderError):
    """The operator has blocked models for the context (`enforcement_blocked`), and none was asked."""


class UnusableProviderError(ProviderError):
    """The chosen model cannot even be tried; the message names the config's field and the command that helps."""
