"""How much of a long proof is run: a sample in `make test`, the whole in `make soak`."""

from __future__ import annotations

import os

SOAK = bool(os.environ.get("SPECTRONCTL_SOAK"))
