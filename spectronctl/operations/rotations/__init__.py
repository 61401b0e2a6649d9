"""Rotation of keys: no secret lost, no agent cut off, whatever happens half-way."""

from spectronctl.operations.rotations._directory import KeyDirectory
from spectronctl.operations.rotations._planning import (
    check_plan,
    plan_rotation,
    read_lifetime,
    select_newest,
)
from spectronctl.operations.rotations._rotation import Method, Rotation, make_claim
from spectronctl.operations.rotations._rotator import Rotator
from spectronctl.operations.rotations._run import Deliver

__all__ = [
    "Deliver",
    "KeyDirectory",
    "Method",
    "Rotation",
    "Rotator",
    "check_plan",
    "make_claim",
    "plan_rotation",
    "read_lifetime",
    "select_newest",
]
