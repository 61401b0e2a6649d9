"""The ontology of a context. Each function is one endpoint and sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectronctl.api.requests import Request, Tagged, path
from spectronctl.models.ontology import Ontology


def get_ontology(context_id: str) -> Request[Tagged[Ontology]]:
    """The ontology and its `ETag`; three empty fields where none was set."""
    return Request("GET", _path(context_id), Ontology, is_tagged=True)


def set_ontology(
    context_id: str, ontology: Ontology | Mapping[str, Any], *, if_match: str | None = None
) -> Request[Tagged[Ontology]]:
    """Replace the whole ontology. 400 names all that is wrong with it; 412 when `if_match` is another's `ETag`."""
    body = ontology.to_dict() if isinstance(ontology, Ontology) else dict(ontology)
    request: Request[Tagged[Ontology]] = Request(
        "PUT", _path(context_id), Ontology, json=body, is_tagged=True
    )
    return request.if_match(if_match)


def delete_ontology(context_id: str, *, if_match: str | None = None) -> Request[None]:
    """Forget the ontology, also where none was set; 412 when `if_match` is another's `ETag`."""
    request: Request[None] = Request("DELETE", _path(context_id), None)
    return request.if_match(if_match)


def _path(context_id: str) -> str:
    return path("/contexts/{id}/ontology", id=context_id)
