"""A report that may go to others: what is needed to understand a failure, and no secret."""

from __future__ import annotations

import platform
import re
import ssl
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Any

from spectronctl import __version__
from spectronctl.config.reports import clean_address, describe_config, describe_environment
from spectronctl.ground.redaction import Redaction, hide_keys
from spectronctl.local.locations import find_config_path

if TYPE_CHECKING:
    from spectronctl.config.resolve import Settings

MAX_PIECE = 4_000
"""Characters of one text."""


def build_bundle(
    env: Mapping[str, str], settings: Settings, report: Mapping[str, Any]
) -> dict[str, Any]:
    """The diagnosis, and what it was made with. Not clean yet."""
    return {
        "spectronctl": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "openssl": ssl.OPENSSL_VERSION,
        "dependencies": dict(_list_versions()),
        "diagnosis": report,
        "settings": [
            {"setting": name, "value": setting.shown, "source": setting.source}
            for name, setting in settings.each()
        ],
        "config": describe_config(find_config_path(env)),
        "environment": describe_environment(env, settings.key_variables),
    }


def _list_versions() -> Iterator[tuple[str, str | None]]:
    for requirement in metadata.requires("spectronctl") or ():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, None


class Cleaner:
    """Takes secrets out of a document: those that are known, what looks like one, what hides in an address."""

    def __init__(self, secrets: set[str], home: str | None = None) -> None:
        self._redaction = Redaction(secrets)
        self._home = home

    def clean(self, value: Any) -> Any:
        """The same, with every text in it made fit to be shown; with a `home` also without the user's name."""
        if isinstance(value, str):
            return self._clean_text(value)
        if isinstance(value, Mapping):
            # Names too: a key that was pasted as the name of a profile or variable would stand there.
            return {hide_keys(str(name)): self.clean(each) for name, each in value.items()}
        return [self.clean(each) for each in value] if isinstance(value, list | tuple) else value

    def _clean_text(self, text: str) -> str:
        shown = clean_address(hide_keys(self._redaction.apply(text, MAX_PIECE)))
        return shown.replace(self._home, "~") if self._home else shown
