"""The server itself: is it alive, is it ready, what it knows."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus

from fastapi import APIRouter

from spectronctl import __version__
from spectronctl.ground.vocabulary import VERBS
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.gates import Open, Operator
from spectronctl.server.database.errors import DiskError
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import unavailable
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.service.schemas import (
    Health,
    Migrations,
    Readiness,
    SchemaVersion,
    VerbList,
)

_log = logging.getLogger(__name__)
_PING_SECONDS = 5

router = APIRouter(
    prefix=PREFIX, tags=["service"], dependencies=[Open], responses=describe_problems()
)
management = APIRouter(
    prefix=PREFIX,
    tags=["service"],
    dependencies=[Operator],
    responses=describe_problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
)


@router.get("/health")
async def get_health() -> Health:
    """Respond without a key and without the database: the process is alive."""
    return Health(status="ok", version=__version__)


@router.get("/ready", responses=describe_problems(HTTPStatus.SERVICE_UNAVAILABLE))
async def get_readiness(database: CurrentDatabase) -> Readiness:
    """Respond without a key whether the database responds."""
    try:
        async with asyncio.timeout(_PING_SECONDS):
            await database.ping()
    except DiskError as error:  # which the log names already
        raise unavailable(error.detail) from error
    except Exception as error:  # whatever it is, the database cannot be used now
        _log.warning("the database does not respond: %s", type(error).__name__)
        raise unavailable("the database does not respond") from error
    return Readiness(status="ready")


@management.get("/verbs")
async def list_verbs() -> VerbList:
    """List the verbs that a grant may name."""
    return VerbList(verbs=list(VERBS))


@management.get("/migrations")
async def list_migrations(database: CurrentDatabase) -> Migrations:
    """Show which schema each context's database has."""
    versions = sorted((await ContextTable(database).list_schema_versions()).items())
    newest = Provisioning(database).schema_version
    return Migrations(
        schema_version=newest,
        contexts=[SchemaVersion(context_id=name, version=version) for name, version in versions],
        behind=[name for name, version in versions if version < newest],
        failures=[name for name, version in versions if version > newest],
    )
