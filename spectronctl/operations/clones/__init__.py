"""
Clones: another context with the configuration, the ontology and the keys of one, each key with a secret of its own.

A clone is planned first, over everything that is there on both sides, and then made part by part. What is there already
is never changed, so a clone that was interrupted is finished by asking for it again.
"""

from spectronctl.operations.clones._making import Clone, Delivery, Reserve, join_words, make_clone
from spectronctl.operations.clones._plan import KeyPlan, OnExistingTarget, Outcome, Plan, plan_clone

__all__ = [
    "Clone",
    "Delivery",
    "OnExistingTarget",
    "KeyPlan",
    "Outcome",
    "Plan",
    "Reserve",
    "join_words",
    "make_clone",
    "plan_clone",
]
