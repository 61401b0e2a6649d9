"""Rotation of keys: no secret lost, no agent cut off, whatever happens half-way."""

from spectronctl.operations.rotations._directory import KeyDirectory
from spectronctl.operations.rotations._engine import Deliver, Rotator, may_be_held
from spectronctl.operations.rotations._rotation import (
    Method,
    Rotation,
    check_plan,
    make_claim,
    plan_rotation,
    read_lifetime,
    select_newest,
)

__all__ = [
    "Deliver",
    "KeyDirectory",
    "Method",
    "Rotation",
    "Rotator",
    "check_plan",
    "make_claim",
    "may_be_held",
    "plan_rotation",
    "read_lifetime",
    "select_newest",
]
