"""Arguments and options that the verbs of a principal share."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated

import typer

from spectronctl.errors import UsageError
from spectronctl.ground.vocabulary import VERBS
from spectronctl.models.identity import Grants

PrincipalArgument = Annotated[
    str,
    typer.Argument(
        metavar="PRINCIPAL", help="Use the principal with this id, name or external id."
    ),
]
GrantArguments = Annotated[
    list[str],
    typer.Argument(
        metavar="GRANT", help="Use these verbs and scopes, such as memory:read=org/acme/*,team/a."
    ),
]


def parse_grants(texts: Iterable[str], name: str = "GRANT") -> Grants:
    """`VERB=PATTERN[,PATTERN]` as verbs with their patterns; UsageError."""
    found: Grants = {}
    for text in texts:
        verb, _, patterns = text.partition("=")
        check_verb(verb, name)
        named = [pattern.strip() for pattern in patterns.split(",")]
        if not all(named):
            raise UsageError(
                f"{name} {text}: a scope is missing",
                hint=f"Write {verb}=org/acme/* for all below a scope, or {verb}=/* for everything.",
            )
        known = found.setdefault(verb, [])
        known += [pattern for pattern in dict.fromkeys(named) if pattern not in known]
    return found


def check_verb(verb: str, name: str) -> None:
    """UsageError for what is no verb of a grant."""
    if verb in VERBS:
        return
    near = [each for each in VERBS if each.endswith(f":{verb}")] or get_close_matches(verb, VERBS)
    raise UsageError(
        f"{name} {verb!r}: not a verb; the verbs are {', '.join(VERBS)}", candidates=near[:3]
    )


def format_grant(grants: Grants) -> str:
    """For a question: `memory:read over org/acme/* and team/a, scope:read over /*`."""
    return ", ".join(f"{verb} over {' and '.join(each)}" for verb, each in grants.items())
