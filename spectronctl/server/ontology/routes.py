"""The ontology of a context: show it, replace it as a whole, forget it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.contexts import CurrentContext
from spectronctl.server.access.gates import Operator
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.etags import IfMatch, describe_etag
from spectronctl.server.http.limits import MAX_BODY_BYTES
from spectronctl.server.http.middleware import limit_body
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.ontology.rows import make_ontology
from spectronctl.server.ontology.schemas import OntologyBody, OntologyResponse, format_ontology
from spectronctl.server.ontology.table import OntologyTable

router = APIRouter(
    prefix=PREFIX + "/contexts/{context_id}/ontology",
    tags=["ontology"],
    dependencies=[Operator],
    responses=describe_problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
    ),
)

_TAGGED: dict[int | str, dict[str, Any]] = {
    200: describe_etag("The version returned; send it as `If-Match` to replace just that")
}
_GUARDED = describe_problems(HTTPStatus.BAD_REQUEST, HTTPStatus.PRECONDITION_FAILED)


@router.get("", responses=_TAGGED)
async def get_ontology(
    context: CurrentContext, database: CurrentDatabase, response: Response
) -> OntologyResponse:
    """Show the ontology; three empty fields where none was set."""
    row = await OntologyTable(database).get_ontology(context)
    response.headers["ETag"] = row.etag
    return format_ontology(row)


@router.put("", responses=_TAGGED | _GUARDED)
@limit_body(MAX_BODY_BYTES)
async def set_ontology(
    body: Annotated[OntologyBody, Depends(body_of(OntologyBody))],
    context: CurrentContext,
    database: CurrentDatabase,
    if_match: IfMatch,
    response: Response,
) -> OntologyResponse:
    """Replace the ontology as a whole: fields left out are empty from then on."""
    row = make_ontology(body.entity_types, body.attribute_keys, body.relation_labels)
    await OntologyTable(database).set_ontology(context, row, expected=if_match)
    response.headers["ETag"] = row.etag
    return format_ontology(row)


@router.delete("", status_code=HTTPStatus.NO_CONTENT, response_class=Response, responses=_GUARDED)
async def delete_ontology(
    context: CurrentContext, database: CurrentDatabase, if_match: IfMatch
) -> None:
    """Forget the ontology; also where none was set."""
    await OntologyTable(database).delete_ontology(context, expected=if_match)
