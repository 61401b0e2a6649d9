"""Keys of the control plane."""

from __future__ import annotations

from spectronctl.models._base import Model
from spectronctl.models.keys import Minted


class ManagementKey(Model):
    """One management key, without its secret. Times are RFC 3339."""

    id: str
    name: str
    created_at: str | None = None
    last_used_at: str | None = None


class MintedManagementKey(Minted, ManagementKey):
    """A management key just created or rotated: the only response that ever carries its secret."""

    def without_secret(self) -> ManagementKey:
        """The same key, safe to show."""
        return ManagementKey.model_validate(self.to_public())
