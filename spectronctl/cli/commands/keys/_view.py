"""What a key looks like in a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from spectronctl.ground.times import format_time
from spectronctl.models.keys import split_name
from spectronctl.output.views import Column, View

if TYPE_CHECKING:
    from spectronctl.cli.batch import Outcome
    from spectronctl.models.keys import MintedKey
    from spectronctl.operations.rotations import Rotation


def _read_logical_name(item: Mapping[str, Any]) -> str | None:
    name = item.get("name")
    return split_name(name)[0] if isinstance(name, str) else None


KEYS = View(
    columns=(
        Column("name", kind="id"),
        Column("id", kind="id"),
        Column("status", kind="status"),
        Column("last_used_at", kind="time"),
        Column("created_at", kind="age"),
        Column("logical", kind="id", compute=_read_logical_name, optional=True),
    ),
    wide=(
        Column("principal", kind="id"),
        Column("principal_id", kind="id"),
        Column("expires_at", kind="time"),
        Column("scope_floor"),
    ),
    name="name",
    plural="keys",
)

ROTATED = View(
    columns=(
        Column("name", kind="id"),
        Column("id", kind="id"),
        Column("status", kind="status"),
        Column("old_key_until", "rotation.due_at", kind="time"),
        Column("error", "rotation.error", kind="words", optional=True),
    ),
    wide=(
        Column("rotation", "rotation.id", kind="id"),
        *KEYS.columns[3:],
        *KEYS.wide,
    ),
    name="name",
    plural="keys",
)

ROTATIONS = View(
    columns=(
        Column("id", kind="id"),
        Column("name", kind="id"),
        Column("step", kind="status"),
        Column("due_at", kind="time"),
        Column("context", kind="id"),
        Column("error", kind="words", optional=True),
    ),
    wide=(
        Column("method", kind="id"),
        Column("url"),
        Column("key", "key.id", kind="id"),
        Column("successor", "successor.id", kind="id"),
        Column("places", kind="list"),
        Column("created_at", kind="time"),
        Column("updated_at", kind="time"),
    ),
    plural="rotations",
)

ORPHANS = View(
    columns=(
        Column("name", kind="id"),
        Column("id", kind="id"),
        Column("reason", kind="id"),
        Column("last_used_at", kind="time"),
        Column("created_at", kind="age"),
    ),
    wide=(Column("expires_at", kind="time"),),
    name="name",
    plural="orphans",
)

PLANNED = View(
    columns=(
        Column("name", kind="id"),
        Column("method", kind="id"),
        Column("successor", kind="id"),
        Column("old_key_until", kind="time"),
        Column("places", kind="list"),
        Column("error", kind="words", optional=True),
    ),
    wide=(Column("id", kind="id"),),
    name="name",
    plural="keys",
)


def describe_plan(plan: Rotation) -> dict[str, Any]:
    """What a rotation would do."""
    from spectronctl.cli.places import label_place

    until = datetime.fromisoformat(plan.created_at) + timedelta(seconds=plan.overlap)
    return {
        "name": plan.key["name"],
        "id": plan.key["id"],
        "context": plan.context,
        "method": plan.method,
        "successor": plan.successor_name,
        "old_key_until": format_time(until) if plan.method == "overlap" else None,
        "places": [label_place(place) for place in plan.places],
        "error": plan.error,
    }


def describe_rotation(rotation: Rotation) -> dict[str, Any]:
    """A rotation as it is shown."""
    from spectronctl.cli.places import label_place

    shown = rotation.to_dict()
    # `del` and no `pop`: a field of the journal that is renamed must be noticed, not shown under its new name.
    for internal in (
        "generation",
        "successor_id",
        "grants",
        "principal",
        "principal_id",
        "scope_floor",
        "limits",
        "due_uptime",
    ):
        del shown[internal]
    shown["successor"] = {"id": rotation.successor_id, "name": rotation.successor_name}
    shown["places"] = [label_place(place) for place in rotation.places]
    return shown


def describe_rotated(outcome: Outcome[Rotation, MintedKey | None]) -> dict[str, Any]:
    """The key that has the new secret, or else the one that was to be rotated, and what became of that."""
    key = outcome.result.without_secret().to_dict() if outcome.result else outcome.item.key
    return {**key, **summarize_rotation(outcome)}


def summarize_rotation(outcome: Outcome[Rotation, MintedKey | None]) -> dict[str, Any]:
    """What is shown of a rotation beside its key."""
    from spectronctl.cli.rotating import find_command

    rotation = outcome.item
    return {
        "rotation": {
            "id": rotation.id,
            "method": rotation.method,
            "step": rotation.step if outcome.is_begun else "planned",
            "replaces": rotation.key,
            "due_at": rotation.due_at,
            "error": outcome.error.message if outcome.error else None,
            "command": find_command(outcome),
        }
    }
