"""What is served is what is described: requests made from the description, answers held against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from . import serving
from .test_documentation import OPERATIONS


def not_an_unplanned_error(ctx: Any, response: Any, case: Any) -> None:
    """No 5xx but 501, which some modes of a write are described to answer."""
    if response.status_code != 501:
        not_a_server_error(ctx, response, case)


CHECKS = [
    not_an_unplanned_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


EXAMPLES = 10


def make_context(url: str, headers: dict[str, str]) -> str:
    """A context that exists from here on."""
    body = {"namespace": "acme", "database": "prod"}
    made = httpx.post(f"{url}/api/v1/contexts/acme-prod", json=body, headers=headers)
    assert made.status_code in {201, 409}
    return "acme-prod"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Served]:
    served = serving.start(tmp_path_factory.mktemp("served"))
    yield served
    served.stop()


@pytest.fixture(scope="module")
def described(served: serving.Served) -> Any:
    return schemathesis.openapi.from_url(f"{served.url}/openapi.json")


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_answer_is_as_described(name: str, served: serving.Served, described: Any) -> None:
    method, path = name.split()

    @given(case=described[path][method].as_strategy(), known=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any, known: bool) -> None:
        headers = {"API-KEY": served.key}
        if known and "context_id" in case.path_parameters:
            case.path_parameters["context_id"] = make_context(served.url, headers)
            if path.startswith("/api/v1/{context_id}/facts") and isinstance(case.body, dict):
                case.body["infer"] = "none"  # the only mode that gets as far as the store
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()
