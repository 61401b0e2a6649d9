"""The base of every wire model."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, AliasGenerator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


def _either_spelling(name: str) -> AliasChoices:
    return AliasChoices(name, to_camel(name))


class Model(BaseModel):
    """Read in snake_case or camelCase, written in snake_case; unknown fields pass through."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=_either_spelling),
        populate_by_name=True,
        extra="allow",
        defer_build=True,
        hide_input_in_errors=True,  # a response may hold a secret, and an error may be printed
    )

    def to_dict(self) -> dict[str, Any]:
        """What the server said, and nothing it did not say."""
        # A default that the server did not send must not look like its word in `-o json`.
        return self.model_dump(mode="json", exclude_unset=True)
