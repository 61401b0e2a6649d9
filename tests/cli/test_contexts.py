"""`spectronctl contexts` against a real server in memory."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import partial
from pathlib import Path

import httpx
import pytest
import yaml

from tests.support.commandline import SENTINEL, CommandLine
from tests.support.faults import Fault, lose_answer, lose_request, truncate_answer
from tests.support.server import Server

CREATE = "contexts create acme-prod --namespace acme --database prod"


def test_create_as_documented(run: CommandLine) -> None:
    result = run(f"{CREATE} --model-extraction openai/gpt-4o-mini --token-limit 1000000 -o json")

    assert result.code == 0
    made = result.json
    assert made.pop("created_at").endswith("Z")
    assert made == {
        "id": "acme-prod",
        "namespace": "acme",
        "database": "prod",
        "config": {"models": {"extraction": "openai/gpt-4o-mini"}, "token_limit": 1000000},
    }


def test_create_takes_every_way_to_say_config(run: CommandLine, tmp_path: Path) -> None:
    base = tmp_path / "base.toml"
    base.write_text(
        'retention_days = 1\n[models]\nresponse = "openai/gpt-4o"\n[extra]\nkept = [1, 2]\n'
    )
    (tmp_path / "key").write_text(f"{SENTINEL}\n")

    result = run(
        f"{CREATE} --config {base} --set extra.depth=3 --set extra.note=plain --retention-days 90"
        f" --model synthesis=x/y --provider openai=env:OPENAI --provider other=file:{tmp_path}/key"
        " --provider third=- -o json",
        env={"OPENAI": SENTINEL},
        stdin=SENTINEL,
    )

    assert result.json["config"] == {
        "retention_days": 90,
        "models": {"response": "openai/gpt-4o", "synthesis": "x/y"},
        "extra": {"kept": [1, 2], "depth": 3, "note": "plain"},
        "providers_configured": ["openai", "other", "third"],
    }
    assert SENTINEL not in result.out + result.err


def test_config_from_stdin_may_be_the_answer_of_get(run: CommandLine) -> None:
    run(f"{CREATE} --token-limit 7 --provider openai=-", stdin=SENTINEL)
    config = run("contexts get acme-prod --query config -o json").out

    again = run(
        "contexts create copy --namespace acme --database copy --config - -o json", stdin=config
    )

    assert again.json["config"] == {"token_limit": 7}


@pytest.mark.parametrize(
    ("options", "stdin", "says"),
    [
        ("--provider openai=sk-literal", "", "would be visible"),
        ("--provider openai", "", "NAME=env:VAR"),
        ("--provider openai=env:NOPE", "", "NOPE"),
        ("--provider openai=file:/nowhere/key", "", "/nowhere/key"),
        ("--provider openai=-", "two\nlines", "line"),
        ("--set providers.openai=sk-literal", "", "would be visible"),
        ("--set token_limit", "", "a value is missing"),
        ("--set a..b=1", "", "dotted path"),
        ("--model extraction", "", "STAGE=PROVIDER/MODEL"),
        ("--model extraction=gpt", "", "PROVIDER/MODEL"),
        ("--model-extraction gpt", "", "PROVIDER/MODEL"),
        ("--token-limit 0", "", "--token-limit"),
        ("--token-limit many", "", "--token-limit"),
        ("--config -", "{broken", "line 1"),
        ("--config -", "[1]", "an object is needed"),
        ("--config /nowhere.json", "", "/nowhere.json"),
        ("--config - --provider openai=-", "{}", "stdin"),
        ("--if-exists maybe", "", "maybe"),
    ],
)
def test_bad_config_is_refused_before_anything_is_sent(
    run: CommandLine, server: Server, options: str, stdin: str, says: str
) -> None:
    result = run(f"{CREATE} {options}", stdin=stdin)

    assert result.code in {2, 11}
    assert says in result.err
    assert result.out == ""
    assert "sk-literal" not in result.err
    assert server.asked() == []


@pytest.mark.parametrize("context_id", ["Acme", "-acme", "acme-", "a" * 64, "a_b", "a/b"])
def test_a_wrong_id_is_told_the_rule(run: CommandLine, server: Server, context_id: str) -> None:
    result = run(f"contexts create --namespace a --database b -- {context_id}")
    assert (result.code, server.asked()) == (2, [])
    assert "lowercase letters, digits and hyphens" in result.err


def test_reserved_namespace_is_rejected(run: CommandLine) -> None:
    result = run("contexts create acme-prod --namespace spectron --database prod -o json")
    assert result.code == 7
    assert result.error["status"] == 422
    assert "spectron" in result.error["message"]


def test_a_taken_id_is_a_conflict(run: CommandLine) -> None:
    run(CREATE)
    result = run(f"{CREATE} -o json")
    assert (result.code, result.error["kind"], result.out) == (6, "conflict", "")


def test_a_taken_database_is_a_conflict_however_creation_is_repeated(run: CommandLine) -> None:
    run(CREATE)
    for policy in ("fail", "skip", "update"):
        result = run(f"contexts create other --namespace acme --database prod --if-exists {policy}")
        assert result.code == 6
        assert "acme-prod" in result.err


def test_creation_can_be_repeated(run: CommandLine, server: Server) -> None:
    first = run(f"{CREATE} --token-limit 5 -o json").json
    server.asked()

    assert run(f"{CREATE} --if-exists skip --token-limit 6 -o json").json == first
    assert server.asked() == ["POST /api/v1/contexts/acme-prod", "GET /api/v1/contexts/acme-prod"]

    updated = run(f"{CREATE} --if-exists update --token-limit 6 -o json")
    assert updated.json == {**first, "config": {"token_limit": 6}}
    assert "PATCH /api/v1/contexts/acme-prod" in server.asked()


def test_another_binding_is_never_taken_for_the_same_context(run: CommandLine) -> None:
    run(CREATE)
    result = run("contexts create acme-prod --namespace acme --database other --if-exists skip")
    assert result.code == 6
    assert "acme/prod" in result.err


@pytest.mark.parametrize("fault", [lose_answer, truncate_answer])
def test_a_lost_answer_is_settled_by_reading_back(
    run: CommandLine, server: Server, fault: Fault
) -> None:
    server.faults.append(fault)
    result = run(f"{CREATE} --token-limit 5 -o json")

    assert result.code == 0
    assert result.json["config"] == {"token_limit": 5}
    assert [line for line in server.asked() if line.startswith("POST")] == [
        "POST /api/v1/contexts/acme-prod"
    ]


def test_a_request_that_never_arrived_is_not_called_done(run: CommandLine, server: Server) -> None:
    server.faults.append(lose_request)
    result = run(f"{CREATE} -o json")
    assert result.code == 9
    assert "may still come; it is safe to run this again" in result.error["hint"]


def test_a_creation_may_arrive_after_it_was_looked_for(run: CommandLine, server: Server) -> None:
    late = []

    def hold_up(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        late.append(partial(inner.handle_request, request))
        raise httpx.ReadError("connection reset", request=request)

    server.faults.append(hold_up)
    result = run(f"{CREATE} -o json")
    assert (result.code, "may still come" in result.error["hint"]) == (9, True)
    assert [arrive().status_code for arrive in late] == [201]
    again = run(f"{CREATE} --if-exists skip -o json")
    assert (again.code, again.json["id"]) == (0, "acme-prod")


def test_a_lost_answer_is_no_success_when_the_context_differs(
    run: CommandLine, server: Server
) -> None:
    run(CREATE)
    server.faults.append(lose_answer)
    result = run(f"{CREATE} --token-limit 9 -o json")
    assert result.code == 9
    assert "not the one that was asked for" in result.error["hint"]


def test_update_shows_the_difference_and_sends_only_that(run: CommandLine, server: Server) -> None:
    run(f"{CREATE} --token-limit 5 --set a.b=1 --set a.c=2")
    server.asked()

    result = run("contexts update acme-prod --token-limit 6 --unset a.b -o json")

    assert result.json["config"] == {"token_limit": 6, "a": {"c": 2}}
    assert server.asked() == ["GET /api/v1/contexts/acme-prod", "PATCH /api/v1/contexts/acme-prod"]

    people = run("contexts update acme-prod --token-limit 7")
    assert "- config.token_limit: 6\n+ config.token_limit: 7\n" in people.err


def test_update_without_a_difference_sends_nothing(run: CommandLine, server: Server) -> None:
    run(f"{CREATE} --token-limit 5")
    server.asked()

    result = run("contexts update acme-prod --token-limit 5 --unset models.response")

    assert result.code == 0
    assert server.asked() == ["GET /api/v1/contexts/acme-prod"]
    assert "nothing was sent" in result.err


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("memory_ttl.context", "12h"),
        ("provider_urls.acme", "https://llm.acme.example/v1"),
        ("models.embedding", "local/hashing"),
    ],
)
def test_update_sets_and_clears_what_embedders_and_memories_need(
    run: CommandLine, field: str, value: str
) -> None:
    run(CREATE)
    outer, inner = field.split(".")

    result = run(f"contexts update acme-prod --set {field}={value} --yes -o json")
    assert result.json["config"] == {outer: {inner: value}}
    assert run("contexts get acme-prod -o json").json["config"] == {outer: {inner: value}}

    cleared = run(f"contexts update acme-prod --unset {field} -o json")
    assert not cleared.json["config"].get(outer)


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("memory_ttl.context", "soon", "such as 30m, 12h or 7d"),
        ("memory_ttl.mood", "7d", "identity, knowledge or context"),
        ("provider_urls.acme", "http://llm.acme.example", "https://llm.acme.example/v1"),
        ("models.embedding", "local/future", "local/hashing"),
    ],
)
def test_update_says_what_an_embedder_or_memories_cannot_have(
    run: CommandLine, field: str, value: str, hint: str
) -> None:
    run(CREATE)
    result = run(f"contexts update acme-prod --set {field}={value} --yes -o json")
    assert (result.code, result.out) == (7, "")
    assert f"config.{field}: " in result.error["message"]
    assert hint in result.error["message"]


def test_a_providers_key_always_counts_as_a_difference(run: CommandLine, server: Server) -> None:
    run(f"{CREATE} --provider openai=-", stdin=SENTINEL)
    server.asked()
    result = run("contexts update acme-prod --provider openai=-", stdin=SENTINEL)
    assert "PATCH /api/v1/contexts/acme-prod" in server.asked()
    assert SENTINEL not in result.out + result.err

    gone = run("contexts update acme-prod --unset providers.openai --yes -o json")
    assert "providers_configured" not in gone.json["config"]


def test_update_of_nothing_is_refused(run: CommandLine) -> None:
    run(CREATE)
    result = run("contexts update acme-prod")
    assert result.code == 2
    assert "nothing to change" in result.err


def test_a_lost_update_is_settled_by_reading_back(run: CommandLine, server: Server) -> None:
    run(f"{CREATE} --token-limit 5")
    server.faults.append(lose_answer)
    assert run("contexts update acme-prod --token-limit 6 -o json").json["config"] == {
        "token_limit": 6
    }
    server.faults.append(lose_request)
    assert run("contexts update acme-prod --token-limit 7 -o json").code == 9


def make_contexts(run: CommandLine, count: int) -> list[str]:
    ids = [f"c-{number:02}" for number in range(count)]
    for context_id in ids:
        assert run(f"contexts create {context_id} --namespace n --database {context_id}").code == 0
    return ids


def test_every_format_lists_the_same_contexts(run: CommandLine) -> None:
    ids = make_contexts(run, 3)

    as_json = run("contexts list -o json").json
    lines = run("contexts list -o jsonl").out.splitlines()
    rows = list(csv.DictReader(io.StringIO(run("contexts list -o csv").out)))
    table = run("contexts list").out.splitlines()

    assert [item["id"] for item in as_json] == ids
    assert [json.loads(line) for line in lines] == as_json
    assert yaml.safe_load(run("contexts list -o yaml").out) == as_json
    assert run("contexts list -o name").out.split() == ids
    assert [row["id"] for row in rows] == ids
    assert [line.split()[0] for line in table] == ["ID", *ids]
    assert len(run("contexts list -o wide").out.splitlines()[0]) > len(table[0])


def test_limit_asks_for_no_more_and_says_so(run: CommandLine, server: Server) -> None:
    ids = make_contexts(run, 3)
    server.asked()

    result = run("contexts list --limit 2 -o name")

    assert result.out.split() == ids[:2]
    assert "more" in result.err
    assert run("contexts list --limit 3 -o name").err == ""
    assert [dict(r.url.params) for r in server.requests] == [{"limit": "2"}, {"limit": "3"}]


def test_an_empty_list_is_a_success(run: CommandLine) -> None:
    assert run("contexts list -o json").json == []
    assert run("contexts list").code == 0
    assert run("contexts list -o jsonl").out == ""


def test_query_runs_over_the_whole_answer(run: CommandLine) -> None:
    make_contexts(run, 3)
    assert run("contexts list --query 'length(@)' -o json").json == 3
    assert run("contexts list --query '[].id'").out.split() == ["c-00", "c-01", "c-02"]


@pytest.mark.parametrize("option", ["--query 'a['", "--columns id,colour", "--sort colour"])
def test_a_wrong_shape_is_refused_before_the_request(
    run: CommandLine, server: Server, option: str
) -> None:
    for command in ("contexts list", "contexts get x", "contexts delete x --yes"):
        result = run(f"{command} {option}")
        assert (result.code, result.out) == (2, "")
    assert server.asked() == []


def test_columns_and_sort_shape_the_table(run: CommandLine) -> None:
    make_contexts(run, 2)
    result = run("contexts list --columns id,database --sort -id --no-header")
    assert [line.split() for line in result.out.splitlines()] == [
        ["c-01", "c-01"],
        ["c-00", "c-00"],
    ]


def test_get_of_a_missing_context(run: CommandLine) -> None:
    result = run("contexts get nope -o json")
    assert (result.code, result.error["kind"], result.error["status"]) == (5, "not_found", 404)
    assert result.error["request_id"]


def test_delete_asks_and_takes_no_for_an_answer(run: CommandLine) -> None:
    run(CREATE)
    result = run("contexts delete acme-prod", stdin="\n", terminal=True)
    assert result.code == 1
    assert "Nothing was deleted." in result.err
    assert run("contexts get acme-prod").code == 0


def test_delete_without_anyone_to_ask_sends_nothing(run: CommandLine, server: Server) -> None:
    result = run("contexts delete acme-prod")
    assert (result.code, server.asked()) == (2, [])
    assert "--yes" in result.err


@pytest.mark.parametrize(
    ("line", "stdin"), [("--yes", ""), ("", "y\n"), ("--confirm acme-prod", "")]
)
def test_delete_proceeds_when_told_to(run: CommandLine, line: str, stdin: str) -> None:
    run(CREATE)
    result = run(f"contexts delete acme-prod {line} -o json", stdin=stdin, terminal=bool(stdin))
    assert result.json == {"id": "acme-prod", "deleted": True}
    assert run("contexts get acme-prod").code == 5


def test_deleting_again(run: CommandLine) -> None:
    assert run("contexts delete gone --yes").code == 5
    again = run("contexts delete gone --yes --if-missing ok -o json")
    assert (again.code, again.json) == (0, {"id": "gone", "deleted": False})


def test_a_protected_profile_wants_the_name(run: CommandLine, tmp_path: Path) -> None:
    run(CREATE)
    run("profiles add prod --protected --url http://spectron.test")
    env = {"SPECTRON_URL": ""}

    for refused in ("--yes", "--confirm other", ""):
        assert run(f"contexts delete acme-prod --profile prod {refused}", env=env).code == 2
    typed = run("contexts delete acme-prod --profile prod", env=env, stdin="wrong\n", terminal=True)
    assert typed.code == 1
    assert run("contexts delete acme-prod --profile prod --confirm acme-prod", env=env).code == 0


def test_hostile_names_stay_data(run: CommandLine) -> None:
    name = "a`; REMOVE DATABASE x; '\"⟩ ü"
    quoted = name.replace("'", "'\\''")
    made = run(f"contexts create hostile --namespace '{quoted}' --database '{quoted}' -o json")
    assert (made.json["namespace"], made.json["database"]) == (name, name)
    assert run("contexts delete hostile --yes").code == 0


def test_a_web_page_saying_404_is_no_missing_context(tmp_path: Path) -> None:
    import httpx

    page = httpx.MockTransport(lambda r: httpx.Response(404, html="<h1>Not here</h1>", request=r))
    result = CommandLine(tmp_path, page)("contexts delete x --yes --if-missing ok --api-key k")
    assert (result.code, result.out) == (9, "")
    assert "--url" in result.err


def test_an_id_of_undecodable_bytes_is_an_answer_not_a_defect(run: CommandLine) -> None:
    result = run("contexts get caf\udce9 -o json")
    assert result.error["kind"] in {"not_found", "invalid"}


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "9" * 5000])
def test_a_set_value_that_json_has_no_number_for_is_text(value: str, run: CommandLine) -> None:
    run("contexts create acme-prod --namespace acme --database prod")
    result = run(f"contexts update acme-prod --set labels.a={value} -o json")
    assert (result.code, result.json["config"]["labels"]["a"]) == (0, value)


def test_several_are_deleted_at_once_after_one_question(run: CommandLine) -> None:
    ids = make_contexts(run, 3)
    result = run(f"contexts delete {' '.join(ids)}", stdin="y\n", terminal=True)
    assert (result.code, result.err.count("[y/N]")) == (0, 1)
    assert "Deleted 3 of 3 contexts." in result.err
    assert run("contexts list -o json").json == []


def test_what_of_several_fails_is_told_and_the_others_are_deleted(run: CommandLine) -> None:
    first, second = make_contexts(run, 2)
    result = run(f"contexts delete {first} missing {second} --yes -o json")
    assert result.code == 1
    assert [(each["id"], each["deleted"]) for each in result.json] == [
        (first, True),
        ("missing", False),
        (second, True),
    ]
    assert "missing" in result.json[1]["error"]
    assert [result.json[0]["error"], result.json[2]["error"]] == [None, None]
    again = run(f"contexts delete {first} {second} --yes --if-missing ok -o json")
    assert (again.code, [each["deleted"] for each in again.json]) == (0, [False, False])


def test_several_on_a_protected_profile_want_all_their_ids(run: CommandLine) -> None:
    ids = make_contexts(run, 2)
    run("profiles add prod --protected --url http://spectron.test")
    line = f"contexts delete {' '.join(ids)} --profile prod"
    env = {"SPECTRON_URL": ""}
    assert run(f"{line} --yes", env=env).code == 2
    assert run(f"{line} --confirm {ids[0]}", env=env).code == 2
    assert run(f"{line} --confirm {','.join(ids)}", env=env).code == 0


def test_the_question_tells_keys_and_their_last_use(run: CommandLine) -> None:
    run(CREATE)
    run(f"keys create agent -c acme-prod --secret-file {run.home}/agent.key")
    run(f"whoami -c acme-prod --api-key-file {run.home}/agent.key")
    asked = run("contexts delete acme-prod", stdin="\n", terminal=True)
    assert re.search(r"context acme-prod \(1 key, (last used 20|never used)", asked.err)
    missing = run("contexts delete acme-pro", stdin="y\n", terminal=True)
    assert (missing.code, "[y/N]" in missing.err) == (5, False)


@pytest.mark.parametrize(
    ("options", "near"),
    [
        ("--set retention_day=90", "retention_days"),
        ("--set tokenLimit=5", "token_limit"),
        ("--set models.extractoin=a/b", "models.extraction"),
        ("--model extractoin=a/b", "models.extraction"),
        ("--set model.extraction=a/b", "models"),
        ("--set memory_ttls.context=7d", "memory_ttl"),
        ("--config FILE", "retention_days"),
        ("--unset retention_day", "retention_days"),
    ],
)
def test_a_field_that_is_almost_a_known_one_is_warned_of(
    run: CommandLine, options: str, near: str
) -> None:
    file = run.home / "c.json"
    file.write_text('{"retentionDays": 90}')
    run(CREATE)
    result = run(f"contexts update acme-prod {options.replace('FILE', str(file))}")
    assert (result.code, f"did you mean {near}?" in result.err) == (0, True)
    if "--unset" not in options:
        created = f"contexts create other --namespace acme --database other {options}"
        assert f"did you mean {near}?" in run(created.replace("FILE", str(file))).err


def test_what_is_documented_or_not_near_is_not_warned_of(run: CommandLine) -> None:
    fields = "labels.team=x models.extraction=a/b models.own=a/b memory_ttl.context=8d response_cache.enabled=true"
    result = run(f"{CREATE} {' '.join(f'--set {each}' for each in fields.split())}")
    assert (result.code, "did you mean" in result.err) == (0, False)


def test_a_list_is_narrowed_by_id_and_by_label(run: CommandLine) -> None:
    for name, options in {
        "acme-dev": "--set labels.team=search --set labels.tier=1",
        "acme-prod": "--set labels.team=search",
        "beta": "--set labels.team=ads",
        "bare": "",
    }.items():
        run(f"contexts create {name} --namespace n --database {name} {options}")
    for options, names in {
        "--match 'acme-*'": ["acme-dev", "acme-prod"],
        "--match '*-prod'": ["acme-prod"],
        "--match acme": [],
        "--label team": ["acme-dev", "acme-prod", "beta"],
        "--label team=search": ["acme-dev", "acme-prod"],
        "--label team=search --label tier=1": ["acme-dev"],
        "--label team=search --match '*-prod'": ["acme-prod"],
        "--label team=search --limit 1": ["acme-dev"],
    }.items():
        assert run(f"contexts list {options} -o name").out.split() == names, options
    wide = run("contexts list -o wide").out.splitlines()
    assert wide[0].endswith("LABELS")
    assert "team=search,tier=1" in wide[1]
    assert run("contexts list --label =x").code == 2
    assert len(run("contexts list -o json").json) == 4
