"""The variables that hold keys, and environments without them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from spectronctl.ground.concealment import conceal

MANAGEMENT_KEY_VARIABLES = (
    "SPECTRONCTL_API_KEY",
    # It holds a path or `-`. For a program that is started, a path to the management key is as good as the key.
    "SPECTRONCTL_API_KEY_FILE",
    "SPECTRON_MANAGEMENT_API_KEY",
    "SPECTRON_MGMT_KEY",
)
CONTEXT_KEY_VARIABLES = ("SPECTRON_API_KEY",)
STORE_SECRET_VARIABLES = ("SPECTRONCTL_STORE_PASSWORD", "SPECTRON_SECRET_KEY")
KEY_VARIABLES = frozenset(
    {*MANAGEMENT_KEY_VARIABLES, *CONTEXT_KEY_VARIABLES, *STORE_SECRET_VARIABLES}
)

_SEED_KEYS = "SPECTRON_API_KEY_"
"""What the names of the variables begin with in which `serve exec` tells the keys of a seed."""


def hide_variables(env: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """
    The environment for a program that must not see these variables, nor the keys of a seed.

    Where `env` is this process's, they are wiped out of what the system shows of it, too: children could read it.
    """
    left = {
        name: text
        for name, text in env.items()
        if name not in names and not name.startswith(_SEED_KEYS)
    }
    if env is os.environ:
        conceal(env.keys() - left.keys())
    return left
