"""What a context looks like in a table."""

from __future__ import annotations

from spectronctl.output.views import Column, View

CONTEXTS = View(
    columns=(
        Column("id"),
        Column("namespace"),
        Column("database"),
        Column("token_limit", "config.token_limit"),
        Column("created_at", kind="time"),
    ),
    wide=(
        Column("retention_days", "config.retention_days"),
        Column("models", "config.models"),
        Column("providers", "config.providers_configured", kind="list"),
    ),
    plural="contexts",
)
