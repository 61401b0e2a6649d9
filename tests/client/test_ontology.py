"""The ontology through both clients: the answer comes with its tag, and a write may depend on one."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

import spectronctl
from spectronctl.api import ontology as api
from spectronctl.api.requests import Tagged
from spectronctl.models.ontology import Ontology
from tests.support.fakes import Admin, Face, FakeSpectron

URL = "/api/v1/contexts/acme-prod/ontology"
BODY: dict[str, Any] = {"entity_types": ["Person"], "attribute_keys": {}, "relation_labels": []}
TAG = '"5d41402abc4b2a76"'


def test_an_answer_comes_with_its_tag(admin: Admin, spectron: FakeSpectron) -> None:
    spectron.on("GET", URL, json=BODY, headers={"ETag": TAG})
    found = admin("ontology.get", "acme-prod")
    assert found == Tagged(Ontology(**BODY), TAG)


@pytest.mark.parametrize("given", [BODY, Ontology(**BODY)], ids=["mapping", "model"])
@pytest.mark.parametrize("tag", [TAG, None])
def test_a_write_depends_on_a_tag_that_is_given(
    admin: Admin, spectron: FakeSpectron, given: Any, tag: str | None
) -> None:
    spectron.on("PUT", URL, json=BODY, headers={"ETag": '"next"'})
    spectron.on("DELETE", URL, 204)
    written = admin("ontology.set", "acme-prod", given, if_match=tag)
    assert (written.value.entity_types, written.etag) == (["Person"], '"next"')
    assert admin("ontology.delete", "acme-prod", if_match=tag) is None
    put, delete = spectron.requests
    assert json.loads(put.content) == BODY
    assert put.headers.get("If-Match") == delete.headers.get("If-Match") == tag


def test_a_mapping_is_the_servers_to_judge(admin: Admin, spectron: FakeSpectron) -> None:
    spectron.on("PUT", URL, 400, json={"detail": "more: is not a field"})
    with pytest.raises(spectronctl.InvalidError, match="more: is not a field"):
        admin("ontology.set", "acme-prod", {"more": 1})
    assert json.loads(spectron.requests[0].content) == {"more": 1}


def test_another_version_is_a_conflict(admin: Admin, spectron: FakeSpectron) -> None:
    spectron.on("PUT", URL, 412, json={"detail": "changed since"})
    with pytest.raises(spectronctl.ConflictError, match="changed since") as refusal:
        admin("ontology.set", "acme-prod", BODY, if_match=TAG)
    assert (refusal.value.status, refusal.value.outcome_unknown) == (412, False)


@pytest.mark.parametrize("tag", [None, "", "W/" + TAG, "bare", '"a" "b"', '"é"', '"open'])
def test_what_guards_nothing_is_no_tag(
    client: Face, spectron: FakeSpectron, tag: str | None
) -> None:
    headers = [] if tag is None else [(b"ETag", tag.encode())]
    spectron.on("GET", URL, json=BODY, headers=headers)
    assert client.send(api.get_ontology("acme-prod")).etag is None


def test_fields_that_no_one_knows_are_kept(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("GET", URL, json={**BODY, "revision": 7})
    assert client.send(api.get_ontology("acme-prod")).value.to_dict()["revision"] == 7


def test_a_write_is_never_sent_twice(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("PUT", URL, error=httpx.ReadError("connection reset"))
    with pytest.raises(spectronctl.NetworkError) as lost:
        client.send(api.set_ontology("acme-prod", BODY))
    assert lost.value.outcome_unknown
