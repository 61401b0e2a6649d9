"""Keys: found by id or name over all pages, and minted so that a lost response never hides a live key."""

from spectronctl.operations.keys._deleting import delete_key, find_doomed, name_keys
from spectronctl.operations.keys._filters import KeyFilter, OrphanReason, find_orphans
from spectronctl.operations.keys._finding import (
    choose_key,
    find_existing,
    find_key,
    is_secret_of,
)
from spectronctl.operations.keys._minting import (
    create_key,
    list_ids,
    may_have_minted,
    rotate_key,
    sweep_keys,
)
from spectronctl.operations.keys._recognising import recognise_secret
from spectronctl.operations.keys._secrets import check_minted, check_secret

__all__ = [
    "KeyFilter",
    "OrphanReason",
    "check_minted",
    "check_secret",
    "choose_key",
    "create_key",
    "delete_key",
    "find_doomed",
    "find_existing",
    "find_key",
    "find_orphans",
    "is_secret_of",
    "list_ids",
    "may_have_minted",
    "name_keys",
    "recognise_secret",
    "rotate_key",
    "sweep_keys",
]
