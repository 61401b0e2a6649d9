"""`docs/configuration.md` against the fields that the program knows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from spectronctl.config.fields import CREDENTIAL_FIELDS, FIELDS
from spectronctl.ground.vocabulary import CATEGORIES
from spectronctl.models.contexts import STAGES
from tests.support.commandline import CommandLine
from tools.documents import ROOT

_, CONTEXT, PROFILE = re.split(
    r"^## ", (ROOT / "docs" / "configuration.md").read_text(), flags=re.MULTILINE
)
ROW = re.compile(r"^\| `(\w+)` \| (?:`([^`]*)`)? ?\|", re.MULTILINE)
CONFIG = {field: json.loads(example) for field, example in ROW.findall(CONTEXT)}

NAMED = re.compile(r'"config\.(?!toml)([a-z_]+)|config\.get\("([a-z_]+)"\)')
"""A field of a context's config, where the source shows, checks or reads it."""


def test_the_fields_of_a_config_are_those_that_the_program_knows() -> None:
    sources = (path.read_text() for path in (ROOT / "spectronctl").rglob("*.py"))
    known = {name for text in sources for pair in NAMED.findall(text) for name in pair if name}
    assert CONFIG.keys() == known


def test_every_stage_and_category_is_named() -> None:
    for word in (*STAGES, *CATEGORIES):
        assert f"`{word}`" in CONTEXT


@pytest.mark.parametrize("field", CONFIG)
def test_the_example_of_a_field_is_accepted(field: str, run: CommandLine, tmp_path: Path) -> None:
    """A secret comes back as the name of its provider."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"note": "any other field", field: CONFIG[field]}))
    run("contexts create acme-prod --namespace acme --database prod")
    changed = run(f"contexts update acme-prod --config {file} --yes -o json")
    expected = {
        "providers": {"providers_configured": ["openai"]},
        "providers_configured": {},
    }
    shown = expected.get(field, {field: CONFIG[field]})
    assert changed.json["config"] == {"note": "any other field", **shown}


# Labels are the user's own: the server keeps them as they are.
@pytest.mark.parametrize("field", sorted(CONFIG.keys() - {"providers_configured", "labels"}))
def test_the_server_checks_the_field(field: str, run: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({field: ["not", "this"]}))
    run("contexts create acme-prod --namespace acme --database prod")
    refused = run(f"contexts update acme-prod --config {file} -o json")
    assert (refused.code, f"config.{field}: " in refused.error["message"]) == (7, True)


def test_the_fields_of_a_profile_are_those_that_the_program_knows() -> None:
    fields = {name for name, _ in ROW.findall(PROFILE)}
    assert fields == {*FIELDS, *CREDENTIAL_FIELDS, "context_keys"}


@pytest.mark.parametrize(
    ("field", "example"), [row for row in ROW.findall(PROFILE) if row[0] != "context_keys"]
)
def test_the_example_of_a_profile_is_accepted(
    field: str, example: str, run_alone: CommandLine
) -> None:
    run_alone("profiles add prod --url https://spectron.example")
    assert run_alone(f"profiles set prod {field} -", stdin=example).code == 0
    text = (run_alone.home / ".config" / "spectronctl" / "config.toml").read_text()
    assert re.search(rf"^{field} = ", text, re.MULTILINE)
