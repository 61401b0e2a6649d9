"""What is served is what is described: requests made from the description, answers held against it."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.fuzzing import Fuzzed, fuzz, not_an_unplanned_error
from tests.support.soak import SOAK

from .test_documentation import OPERATIONS

CHECKS = [
    not_an_unplanned_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def described(fuzzed: Fuzzed) -> Any:
    return schemathesis.openapi.from_url(f"{fuzzed.url}/openapi.json")


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_answer_is_as_described(name: str, fuzzed: Fuzzed, described: Any) -> None:
    """One request that succeeds, whatever else; then many made up, with ids and keys that are real or not."""
    method, path = name.split()
    succeeded = fuzz(fuzzed, name, described[path][method], CHECKS)
    if SOAK:  # of a few made up requests all may be refused
        assert succeeded > 1
