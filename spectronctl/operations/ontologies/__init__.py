"""Ontologies: compared name by name, and written so that no other client's change is overwritten."""

from spectronctl.operations.ontologies._changes import Names, add_names, remove_names
from spectronctl.operations.ontologies._difference import (
    Difference,
    Part,
    compare_ontologies,
    list_parts,
)
from spectronctl.operations.ontologies._writing import (
    Agree,
    Written,
    change_ontology,
    replace_ontology,
)

__all__ = [
    "Part",
    "Difference",
    "list_parts",
    "compare_ontologies",
    "Names",
    "add_names",
    "remove_names",
    "Agree",
    "Written",
    "replace_ontology",
    "change_ontology",
]
