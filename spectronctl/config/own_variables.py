"""The environment's variables that are ours, and those that only look as if they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spectronctl.config.resolve import SETTINGS
from spectronctl.config.values import near_names
from spectronctl.config.variables import KEY_VARIABLES

_PREFIX = "SPECTRONCTL_"
_OTHERS = (
    "SPECTRONCTL_HOME",
    "SPECTRONCTL_CONFIG",
    "SPECTRONCTL_PAGER",
    "SPECTRONCTL_LOCAL_STORE",
    "SPECTRONCTL_STORE_USER",
    # Set for a command that takes a secret, and so for what that command runs.
    "SPECTRONCTL_KEY_ID",
    "SPECTRONCTL_KEY_NAME",
    "SPECTRONCTL_SOAK",
)
VARIABLES = frozenset({*_OTHERS, *KEY_VARIABLES, *(name for row in SETTINGS for name in row.env)})
"""Every variable that means something to spectronctl or its tests."""


def warn_of_variables(env: Mapping[str, str]) -> Iterator[str]:
    """A line for each variable that has our prefix and is none of ours: a misspelled one would change nothing."""
    for name in sorted(env):
        # Not those with SPECTRON_: other programs of the product may have variables of that name.
        if name.startswith(_PREFIX) and name not in VARIABLES:
            near = near_names(name, [known for known in VARIABLES if known.startswith(_PREFIX)])
            meant = f"; did you mean {near[0]}?" if near else ""
            yield f"{name} is no variable of spectronctl and is ignored{meant}"
