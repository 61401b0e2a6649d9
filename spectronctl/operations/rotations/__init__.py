"""Rotation of keys: no secret lost, no agent cut off, whatever happens half-way."""

from spectronctl.operations.rotations._directory import KeyDirectory
from spectronctl.operations.rotations._ledger import Ledger
from spectronctl.operations.rotations._planning import (
    check_plan,
    plan_many,
    plan_rotation,
    read_lifetime,
    select_newest,
)
from spectronctl.operations.rotations._rotation import Method, Rotation, make_claim
from spectronctl.operations.rotations._rotations import (
    BUSY_SECONDS,
    Open,
    OpenPlace,
    Rotations,
    Signer,
)
from spectronctl.operations.rotations._rotator import Rotator
from spectronctl.operations.rotations._run import Deliver

__all__ = [
    "BUSY_SECONDS",
    "Deliver",
    "KeyDirectory",
    "Ledger",
    "Method",
    "Open",
    "OpenPlace",
    "Rotation",
    "Rotations",
    "Rotator",
    "Signer",
    "check_plan",
    "make_claim",
    "plan_many",
    "plan_rotation",
    "read_lifetime",
    "select_newest",
]
