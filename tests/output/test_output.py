"""Promises of output/output.py and output/rendering.py: what stands on stdout and on stderr, in every format."""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from spectronctl.errors import NotFoundError, RateLimitedError, SpectronctlError, UsageError
from spectronctl.ground.vocabulary import OUTPUT_FORMATS
from spectronctl.output import Output
from spectronctl.output.streams import Streams
from spectronctl.output.views import Column, View
from tests.support.streams import ACME, BETA, CONTEXTS, Capture, Terminal

KEY = {"id": "cak_1", "name": "app", "secret": "sk-sentinel", "scope_floor": {"org": "acme"}}


def rows(format: str, *items: Mapping[str, Any], **options: Any) -> str:
    capture = Capture()
    output = Output(format, capture.streams, **options)
    output.check(CONTEXTS)
    output.rows(iter(items), CONTEXTS)
    return capture.stdout


def show(format: str, item: Mapping[str, Any], **options: Any) -> str:
    capture = Capture()
    Output(format, capture.streams, **options).show(item, CONTEXTS)
    return capture.stdout


def drawn(item: Mapping[str, Any], *, width: int = 120, **env: str) -> str:
    with Terminal(env, width=width) as terminal:
        Output("table", terminal.streams).rows([item], CONTEXTS)
    return terminal.shown


def secret(format: str, **options: Any) -> str:
    capture = Capture()
    output = Output(format, capture.streams, query=options.pop("query", None))
    output.secret(KEY, CONTEXTS, **options)
    return capture.stdout


# Lists


def test_a_plain_table_is_aligned_whole_and_without_a_header_if_asked() -> None:
    assert rows("table", ACME, BETA) == (
        "ID         NAMESPACE  TOKEN_LIMIT  CREATED\n"
        "acme-prod  acme       1000000      2026-01-15T10:00:00Z\n"
        "beta       東京       -            -\n"
    )
    assert rows("table", ACME, no_header=True) == (
        "acme-prod  acme  1000000  2026-01-15T10:00:00Z\n"
    )


def test_wide_adds_columns_and_keeps_lists_and_objects_readable() -> None:
    head, line = rows("wide", ACME).splitlines()
    assert head.split()[-2:] == ["MODELS", "PROVIDERS"]
    assert line.endswith('{"extraction":"openai/gpt-4o-mini"}  openai,anthropic')


def test_the_formats_of_programs_hold_every_field_the_server_sent() -> None:
    assert json.loads(rows("json", ACME, BETA)) == [ACME, BETA]
    assert [json.loads(line) for line in rows("jsonl", ACME, BETA).splitlines()] == [ACME, BETA]
    assert yaml.safe_load(rows("yaml", ACME, BETA)) == [ACME, BETA]


FAMILY = View(
    (Column("name"), Column("age")), name="name", plural="people", parts=lambda item: item["people"]
)
HOUSE = {"street": "Allee", "people": [{"name": "Ada", "age": 36}, {"name": "Alan", "age": 41}]}


def test_an_object_with_parts_is_a_table_of_them_and_itself_to_programs() -> None:
    def shown(format: str, item: Mapping[str, Any] = HOUSE, **options: Any) -> str:
        capture = Capture()
        Output(format, capture.streams, **options).show(item, FAMILY)
        return capture.stdout + capture.stderr

    assert shown("table") == "NAME  AGE\nAda   36\nAlan  41\n"
    assert shown("table", sort="-age", columns="name") == "NAME\nAlan\nAda\n"
    assert shown("csv") == "name,age\nAda,36\nAlan,41\n"
    assert shown("name") == "Ada\nAlan\n"
    assert json.loads(shown("json")) == json.loads(shown("jsonl")) == HOUSE
    assert yaml.safe_load(shown("yaml")) == HOUSE
    assert json.loads(shown("json", query="people[0].age")) == 36
    assert "No people." in shown("table", {"people": []})


def test_csv_has_every_column_of_the_view_with_nested_values_as_json() -> None:
    head, acme, beta = csv.reader(io.StringIO(rows("csv", ACME, BETA)))
    assert head == ["id", "namespace", "token_limit", "created", "models", "providers"]
    assert acme[:4] == ["acme-prod", "acme", "1000000", "2026-01-15T10:00:00Z"]
    assert [json.loads(cell) for cell in acme[4:]] == [
        ACME["config"]["models"],
        ACME["config"]["providers_configured"],
    ]
    assert beta == ["beta", "東京", "", "", "", ""]


def test_names_are_one_per_line_and_cannot_forge_another() -> None:
    assert rows("name", ACME, BETA, {"namespace": "no id"}) == "acme-prod\nbeta\n"
    assert rows("name", {"id": "a\nacme-prod"}) == "a\\nacme-prod\n"


@pytest.mark.parametrize(
    ("format", "answer"),
    [
        ("table", "ID  NAMESPACE  TOKEN_LIMIT  CREATED\n"),
        ("json", "[]\n"),
        ("jsonl", ""),
        ("yaml", "[]\n"),
        ("csv", "id,namespace,token_limit,created,models,providers\n"),
        ("name", ""),
    ],
)
def test_an_empty_list_keeps_the_shape_of_a_full_one(format: str, answer: str) -> None:
    assert rows(format) == answer


def test_an_empty_table_says_so_to_people_and_draws_no_header_for_them() -> None:
    capture = Capture()
    Output("table", capture.streams).rows([], CONTEXTS)
    assert capture.stderr == "No contexts.\n"
    with Terminal() as terminal:
        Output("table", terminal.streams).rows([], CONTEXTS)
    assert terminal.shown == "No contexts.\n"


@pytest.mark.parametrize("format", OUTPUT_FORMATS)
def test_a_list_that_fails_on_its_way_leaves_stdout_empty(format: str) -> None:
    def pages() -> Iterator[dict[str, Any]]:
        yield from [ACME] * 20_000  # more than is kept in memory
        raise NotFoundError("the second page is gone")

    capture = Capture()
    with pytest.raises(NotFoundError):
        Output(format, capture.streams).rows(pages(), CONTEXTS)
    assert capture.stdout == ""


def test_a_hundred_thousand_items_pass_through_without_being_held() -> None:
    items = ({"id": f"key-{n}", "scope": {"org": "acme"}, "pad": "x" * 100} for n in range(100_000))
    with open("/dev/null", "w") as nothing:
        streams = Streams(nothing, nothing, nothing, {})
        tracemalloc.start()
        Output("jsonl", streams).rows(items, CONTEXTS)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 30_000_000


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_json_is_the_same_bytes_whatever_looks_at_it(format: str) -> None:
    items = [ACME, BETA, {"id": "x" * 300, "note": "\x1b[31m \ud800 é"}]
    expected = rows(format, *items)
    for env, color in ({}, "auto"), ({"CI": "1"}, "never"), ({"COLUMNS": "20"}, "always"):
        capture = Capture(env, encoding="ascii")
        Output(format, capture.streams, color=color).rows(items, CONTEXTS)  # type: ignore[arg-type]
        assert capture.stdout == expected
        for width in (20, 200):
            with Terminal(env, width=width) as terminal:
                Output(format, terminal.streams, color=color).rows(items, CONTEXTS)  # type: ignore[arg-type]
            assert terminal.shown == expected


# Shaping


def test_columns_and_order_shape_what_has_columns_and_nothing_else() -> None:
    shape = {"columns": "created,id", "sort": "-id", "no_header": True}
    assert rows("table", ACME, BETA, **shape).split() == [
        *("-", "beta"),
        *("2026-01-15T10:00:00Z", "acme-prod"),
    ]
    assert rows("csv", ACME, BETA, **shape) == ",beta\n2026-01-15T10:00:00Z,acme-prod\n"
    for format in ("json", "jsonl", "yaml", "name"):  # noqa: A001
        assert rows(format, ACME, BETA, **shape) == rows(format, ACME, BETA)


@pytest.mark.parametrize("format", OUTPUT_FORMATS)
@pytest.mark.parametrize(
    "options", [{"columns": "nope"}, {"sort": "nope"}, {"query": "["}, {"query": "nope(@)"}]
)
def test_what_cannot_work_is_refused_in_every_format(format: str, options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        Output(format, Capture().streams, **options).check(CONTEXTS)  # type: ignore[arg-type]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="'xml'"):
        Output("xml", Capture().streams).check(CONTEXTS)


def test_a_query_cannot_be_shaped_again_where_that_would_be_lost() -> None:
    shaped = {"query": "[]", "sort": "id"}
    with pytest.raises(UsageError, match="--sort shapes a table"):
        Output("table", Capture().streams, **shaped).check(CONTEXTS)  # type: ignore[arg-type]
    Output("json", Capture().streams, **shaped).check(CONTEXTS)  # type: ignore[arg-type]


# One object


def test_one_object_is_a_line_per_field_for_people() -> None:
    assert show("table", ACME) == show("wide", ACME)
    assert show("table", ACME) == (
        "id                           acme-prod\n"
        "namespace                    acme\n"
        "config.token_limit           1000000\n"
        "config.models.extraction     openai/gpt-4o-mini\n"
        "config.providers_configured  openai,anthropic\n"
        "created_at                   2026-01-15T10:00:00Z\n"
    )
    assert show("table", ACME, columns="created,id") == (
        "created  2026-01-15T10:00:00Z\nid       acme-prod\n"
    )


def test_one_object_is_itself_for_programs() -> None:
    assert show("json", ACME) == json.dumps(ACME, indent=2) + "\n"
    assert json.loads(show("jsonl", ACME)) == ACME
    assert yaml.safe_load(show("yaml", ACME)) == ACME
    assert show("csv", ACME) == rows("csv", ACME)
    assert show("name", ACME) == "acme-prod\n"


def test_an_outcome_is_a_note_for_people_and_an_object_for_programs() -> None:
    outcome = {"id": "acme", "deleted": True}
    said = {}
    for format in ("table", "json", "csv", "name"):  # noqa: A001
        capture = Capture()
        Output(format, capture.streams).done(outcome, CONTEXTS, "Deleted context acme.")
        said[format] = (capture.stdout, capture.stderr)
    assert said == {
        "table": ("", "Deleted context acme.\n"),
        "json": ('{\n  "id": "acme",\n  "deleted": true\n}\n', ""),
        "csv": ("id,deleted\nacme,true\n", "Deleted context acme.\n"),
        "name": ("acme\n", "Deleted context acme.\n"),
    }


# For people at a terminal


def test_a_terminal_sees_times_from_now_and_everything_else_the_moment() -> None:
    assert "ago" in drawn(ACME)
    assert "2026-01-15T10:00:00Z" in drawn(ACME, CI="true")
    with Terminal(width=100) as terminal:
        Output("table", terminal.streams).show(ACME, CONTEXTS)
    assert "ago (2026-01-15T10:00:00Z)" in terminal.shown


def test_in_ci_a_terminal_gets_the_plain_table() -> None:
    assert drawn(ACME, CI="true", width=20, FORCE_COLOR="1") == rows("table", ACME)


@pytest.mark.parametrize("hostile", ["[red]x[/]", "[/]", "\\[b]", ":smile:", "a\\"])
def test_values_are_never_markup(hostile: str) -> None:
    assert hostile in drawn({"id": hostile})
    assert hostile in rows("table", {"id": hostile})


@pytest.mark.parametrize("hostile", ["\x1b[2J", "a\nb", "\x07", "\x9b1m", "\u202eabc"])
def test_nothing_that_a_server_says_reaches_a_terminal_unescaped(hostile: str) -> None:
    for shown in (drawn({"id": hostile}, NO_COLOR="1"), rows("table", {"id": hostile})):
        assert hostile not in shown
        assert "\x1b" not in shown
        assert hostile.encode("unicode_escape").decode() in shown


# Queries


@pytest.mark.parametrize(
    ("format", "query", "answer"),
    [
        ("json", "[].id", '[\n  "acme-prod",\n  "beta"\n]\n'),
        ("jsonl", "[].id", '"acme-prod"\n"beta"\n'),
        ("yaml", "[].id", "- acme-prod\n- beta\n"),
        ("table", "[].id", "acme-prod\nbeta\n"),
        ("name", "[].id", "acme-prod\nbeta\n"),
        ("csv", "[].namespace", "acme\n東京\n"),
        ("table", "[].{at: region, id: id}", "AT  ID\n-   acme-prod\neu  beta\n"),
        ("csv", "[].{at: region, id: id}", "at,id\n,acme-prod\neu,beta\n"),
        ("name", "[?region]", "beta\n"),
        ("json", "length(@)", "2\n"),
        ("jsonl", "[0].config.models", '{"extraction":"openai/gpt-4o-mini"}\n'),
        ("yaml", "[0].config.models", "extraction: openai/gpt-4o-mini\n"),
        ("table", "length(@)", "2\n"),
        ("table", "[0].id", "acme-prod\n"),
        ("table", "nothing", "null\n"),
        ("table", "[1].{id: id}", '{\n  "id": "beta"\n}\n'),
        ("name", "[1]", "beta\n"),
        ("csv", "[].[id]", '[\n  [\n    "acme-prod"\n  ],\n  [\n    "beta"\n  ]\n]\n'),
        ("table", "[?id=='nope']", ""),
        ("json", "[?id=='nope']", "[]\n"),
    ],
)
def test_a_query_runs_over_the_whole_answer_in_every_format(
    format: str,
    query: str,
    answer: str,
) -> None:
    assert rows(format, ACME, BETA, query=query) == answer


def test_the_columns_of_a_query_come_in_order_of_first_appearance() -> None:
    answer = rows("csv", {"id": "a", "z": 1}, {"b": 2, "id": "c"}, query="@")
    assert answer == "id,z,b\na,1,\nc,,2\n"


def test_a_query_of_one_object_runs_over_that_object() -> None:
    assert show("table", ACME, query="config.token_limit") == "1000000\n"


def test_a_query_that_does_not_fit_leaves_stdout_empty() -> None:
    capture = Capture()
    with pytest.raises(UsageError):
        Output("table", capture.streams, query="sum(@)").rows([ACME], CONTEXTS)
    assert capture.stdout == ""


# Secrets


@pytest.mark.parametrize("format", ["table", "wide", "name"])
def test_people_get_the_bare_secret(format: str) -> None:
    assert secret(format) == "sk-sentinel\n"


def test_programs_get_the_key_with_its_secret() -> None:
    assert json.loads(secret("json")) == KEY
    assert json.loads(secret("jsonl")) == KEY
    assert yaml.safe_load(secret("yaml")) == KEY
    [line] = csv.DictReader(io.StringIO(secret("csv")))
    assert (line["id"], line["secret"]) == ("cak_1", "sk-sentinel")


@pytest.mark.parametrize("format", OUTPUT_FORMATS)
def test_a_secret_stored_elsewhere_is_not_shown(format: str) -> None:
    shown = secret(format, secret_stored=True)
    assert "sentinel" not in shown
    assert "cak_1" in shown
    assert "sentinel" not in secret(format, secret_stored=True, query="@")


def test_a_query_that_does_not_fit_does_not_lose_the_secret() -> None:
    capture = Capture()
    Output("json", capture.streams, query="sum(name)").secret(KEY, CONTEXTS)
    assert json.loads(capture.stdout) == KEY
    assert secret("table", query="secret") == "sk-sentinel\n"


# Notes and errors

FAILURE = RateLimitedError(
    "too many\x1b[2J requests",
    status=429,
    request_id="req-1",
    retry_after_secs=3,
    hint="Wait a little.",
    command="spectronctl contexts list",
    candidates=["acme", "beta"],
)


def tell(format: str, *, finish: bool, **options: Any) -> str:
    capture = Capture()
    output = Output(format, capture.streams, **options)
    output.note("Created.\nTwice.")
    output.warn("Look.")
    output.difference({"a": 1}, {"a": 2})
    if finish:
        output.finish()
    else:
        output.error(FAILURE)
    assert capture.stdout == ""
    return capture.stderr


def test_people_read_notes_as_they_come_unless_they_want_quiet() -> None:
    said = "Created.\n  Twice.\nwarning: Look.\n- a: 1\n+ a: 2\n"
    assert tell("table", finish=True) == said
    assert tell("csv", finish=True) == said
    assert tell("table", finish=True, quiet=True) == ""


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_under_json_notes_wait_for_success_and_a_failure_is_one_object(format: str) -> None:
    assert tell(format, finish=True) == tell("table", finish=True)
    line = tell(format, finish=False)
    assert line.count("\n") == 1
    assert json.loads(line) == FAILURE.to_dict()
    assert "\x1b" not in line


@pytest.mark.parametrize("format", ["table", "json"])
def test_what_an_interrupted_command_leaves_is_told_at_once(format: str) -> None:
    capture = Capture()
    Output(format, capture.streams).leave("Job job_1 goes on.")
    if format == "json":
        said = json.loads(capture.stderr)
        assert said == {"event": "interrupted", "text": "Job job_1 goes on."}
    else:
        assert capture.stderr == "warning: Job job_1 goes on.\n"

    quiet = Capture()
    Output(format, quiet.streams, quiet=True).leave("Job job_1 goes on.")
    assert quiet.stderr == ""


def test_people_read_what_failed_why_and_what_would_help() -> None:
    assert tell("table", finish=False, quiet=True) == (
        "error: too many\\x1b[2J requests. Did you mean acme, beta?\n"
        "  Wait a little.\n"
        "  try: spectronctl contexts list\n"
        "  request id: req-1\n"
    )
    capture = Capture()
    Output("table", capture.streams).error(SpectronctlError("nothing more is known"))
    assert capture.stderr == "error: nothing more is known\n"


def test_colour_marks_errors_warnings_and_differences_where_it_is_wanted() -> None:
    coloured = tell("table", finish=True, color="always")
    assert "\x1b[31m- a: 1\x1b[0m\n\x1b[32m+ a: 2\x1b[0m\n" in coloured
    assert "\x1b[33mwarning:\x1b[0m Look." in coloured
    with Terminal() as terminal:
        Output("table", terminal.streams).error(FAILURE)
    assert terminal.shown.startswith("\x1b[1;31merror:\x1b[0m too many\\x1b[2J")


# The process around it


def test_a_full_temporary_disk_is_an_error_of_ours_and_leaves_stdout_empty(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from spectronctl.errors import SpectronctlError\n"
        "from spectronctl.output import *\n"
        "from spectronctl.output.streams import *\n"
        "from spectronctl.output.views import *\n"
        "output = Output('jsonl', Streams(sys.stdin, sys.stdout, sys.stderr, {}))\n"
        "try:\n"
        "    output.rows(({'id': 'x' * 1000} for _ in range(9000)), View((Column('id'),)))\n"
        "except SpectronctlError as exc:\n"
        "    sys.exit(exc.message)\n"
    )
    limit = 2 << 20
    ended = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(tmp_path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("cannot keep the result in a temporary file: ")
    assert list(tmp_path.iterdir()) == []


HEAVY = {"rich", "yaml", "jmespath", "asyncio", "pydantic"}


@pytest.mark.parametrize(
    ("does", "brings"),
    [
        ("import spectronctl.output", set()),
        ("import spectronctl.output.output", set()),
        ("import spectronctl.output.prompts, spectronctl.output.sinks", set()),
        ("Output('table', streams).rows([{'id': 1}], view)", set()),
        ("Output('json', streams).rows([{'id': 1}], view)", set()),
        ("Output('yaml', streams).rows([{'id': 1}], view)", {"yaml"}),
        ("Output('json', streams, query='[]').check(view)", {"jmespath"}),
    ],
)
def test_a_library_is_imported_only_when_it_is_needed(does: str, brings: set[str]) -> None:
    script = (
        "import sys\n"
        "from spectronctl.output import *\n"
        "from spectronctl.output.streams import *\n"
        "from spectronctl.output.views import *\n"
        "streams, view = Streams(sys.stdin, sys.stdout, sys.stderr, {}), View((Column('id'),))\n"
        f"{does}\nprint(*sys.modules, file=sys.stderr)\n"
    )
    root = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={"PYTHONPATH": root}
    )
    assert ended.returncode == 0, ended.stderr
    assert HEAVY & set(ended.stderr.split()) == brings
