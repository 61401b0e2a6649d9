"""A small world on a real server, where the commands of the tree succeed, and what can be seen of its state."""

from __future__ import annotations

import http.client
import json
import os
import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from spectronctl.api import (
    contexts,
    facts,
    keys,
    lifecycle,
    management_keys,
    ontology,
    principals,
    scopes,
    sessions,
)
from spectronctl.api.requests import Reply, Request, path
from spectronctl.cli._tree import Node
from spectronctl.client import Client
from spectronctl.models.ontology import Ontology
from tests.support import serving
from tests.support.command_tree import SAMPLES, add_options, sample_line
from tests.support.commandline import CommandLine, Result
from tests.support.journals import make_due
from tests.support.proxies import Proxy

CONTEXT = SAMPLES["ID"]
ONTOLOGY = Ontology(entity_types=["Person"], attribute_keys={"Person": ["name"]})

MAKES_CONTEXT = {("contexts", "create")}
"""Commands that want the context of the samples not to be there yet."""

EXTRA: dict[tuple[str, ...], str] = {
    ("ontology", "add"): "--entity-type Planet",
    ("contexts", "clone"): "--database copy --secret-command 'sh -c \"cat >/dev/null\"'",
}
"""Words without which a command would fail, or change nothing here."""

PARTS = (
    *("database", "config", "keys", "secret", "principals"),
    *("ontology", "sessions", "to expire", "jobs"),
)

State = dict[str, dict[str, str]]

CHANGES_EVERYWHERE = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)|(sk|mgmt)-[\w-]+|(cak_|mgk_|job_|rot_|principal:|session:|trace:|turn:|req_)\w+"
    r"|[0-9a-f]{8}-[0-9a-f-]{27}|127\.0\.0\.1:\d+"
)
"""Times, ids and secrets, which are others each time."""


def blur(text: str) -> str:
    """Text without what is another each time."""
    return CHANGES_EVERYWHERE.sub("*", text)


@dataclass(frozen=True)
class Scene:
    """The line of a command, what runs it through the proxy, and the state before."""

    line: str
    run: CommandLine
    before: State

    def play(self, options: str) -> Result:
        """What the command says, without what is another each time."""
        result = self.run(add_options(self.line, f"-o json {options}"))
        return replace(result, out=blur(result.out.replace(str(self.run.home), "~")))


@dataclass
class World:
    """A server of its own process, a proxy before it, and one context with a key, a session, a job and memories."""

    directory: Path
    served: serving.Served = field(init=False)

    def __post_init__(self) -> None:
        self.served = serving.start(self.directory, grace=1)
        self.proxy = Proxy(self.served.url)
        self._client = Client(self.served.url, api_key=self.served.key)
        self._http = http.client.HTTPConnection(urlsplit(self.served.url).netloc, timeout=30)
        self._homes = 0
        self._ids: dict[str, str] = {}
        self._beginning: State = {}
        self._state: State = {}
        self.secret = "none"

    def close(self) -> None:
        self.proxy.close()
        self._client.close()
        self._http.close()
        self.served.stop()

    # The state

    def ask(self, path: str, key: str | None = None) -> tuple[int, Any]:
        """Status and body of a read, around the proxy."""
        headers = {"Authorization": f"Bearer {key or self.served.key}"}
        self._http.request("GET", f"/api/v1{path}", headers=headers)
        answer = self._http.getresponse()
        status, body = answer.status, json.loads(answer.read())
        self._http.close()  # the server ends idle connections
        return status, body

    def look(self) -> State:
        """All that can be seen, by context, once every job is over; the same for the same state."""
        _, listed = self.ask("/contexts?limit=500")
        self._state = {context["id"]: self._look_into(context) for context in listed["contexts"]}
        return self._state

    def _look_into(self, context: dict[str, Any]) -> dict[str, str]:
        name = context["id"]
        held = self.ask(f"/{name}/sessions?limit=500")[1]["sessions"]
        turns = [self.ask(f"/{name}/sessions/{one['id']}/turns")[1] for one in held]
        keys = self.ask(f"/contexts/{name}/keys?limit=500")[1]["keys"]
        seen = {
            "database": [context["namespace"], context["database"]],
            "config": context["config"],
            "keys": sorted(
                [key["name"], key["principal"], key["scope_floor"], key["expires_at"] is None]
                for key in keys
            ),
            "secret": self.ask(f"/{name}/me", self.secret)[0],
            "principals": sorted(
                [each["display_name"], each["kind"], sorted(each["grants"].items())]
                for each in self.ask(f"/contexts/{name}/principals?limit=500")[1]["principals"]
            ),
            "ontology": self.ask(f"/contexts/{name}/ontology")[1],
            "sessions": sorted(blur(json.dumps(one)) for one in turns),
            "to expire": self.ask(f"/{name}/lifecycle/expire")[1],
            "jobs": [[job["kind"], job["status"]] for job in self._wait_for_jobs(name)],
        }
        return {part: blur(json.dumps(value)) for part, value in seen.items()}

    def _wait_for_jobs(self, context: str) -> list[dict[str, Any]]:
        while True:
            jobs: list[dict[str, Any]] = self.ask(f"/contexts/{context}/lifecycle/jobs")[1]["jobs"]
            if all(job["finished_at"] for job in jobs):
                return jobs
            time.sleep(0.01)

    # The commands

    def prepare(self, node: Node) -> Scene:
        """A world as it was in the beginning, or as this command wants it."""
        self._restore()
        run = self._make_command_line()
        line = add_options(sample_line(node), f"{EXTRA.get(node.path, '')} --yes")
        if SAMPLES["ROTATION"] in line:
            line = line.replace(SAMPLES["ROTATION"], self._begin_rotation(run))
        if node.path in MAKES_CONTEXT:
            self._client.send(contexts.delete_context(CONTEXT))
        if node.path[0] == "management-keys":
            self._make_management_key()
        for sample, real in self._ids.items():
            line = line.replace(sample, real)
        is_changed = node.path in MAKES_CONTEXT or SAMPLES["ROTATION"] in sample_line(node)
        return Scene(line, run, self.look() if is_changed else self._beginning)

    def _make_command_line(self) -> CommandLine:
        self._homes += 1
        home = self.directory / f"home-{self._homes}"
        home.mkdir()
        env = {
            "SPECTRON_URL": self.proxy.url,
            "SPECTRON_MANAGEMENT_API_KEY": self.served.key,
            "SPECTRON_CONTEXT_ID": CONTEXT,
            "SAMPLE_KEY": self.secret,
            "EDITOR": "sed -i s/Person/Human/",
            "PATH": os.environ["PATH"],
        }
        return CommandLine(home, None, env)

    def _begin_rotation(self, run: CommandLine) -> str:
        """The id of a rotation whose old key is due to be deleted."""
        begun = run(f"keys rotate {SAMPLES['KEY']} --overlap 1h --yes --secret-file {run.home}/key")
        assert begun.code == 0, begun.err
        (entry,) = make_due(run.home / ".local/state/spectronctl/rotations")
        return entry.stem.rpartition(".")[2]

    # The beginning

    def _restore(self) -> None:
        """
        Make what has changed anew; a context costs a hundred times what a key does.

        Sessions come with their context: an import goes on where an earlier one of the same file is remembered.
        """
        state = self._state
        differing = {
            part
            for name in state.keys() | self._beginning.keys()
            for part in PARTS
            if state.get(name, {}).get(part) != self._beginning.get(name, {}).get(part)
        }
        restore = {
            "config": self._make_config,
            "keys": self._make_key,
            "secret": self._make_key,
            "principals": self._make_key,
            "ontology": self._make_ontology,
            "to expire": self._make_memories,
        }
        if not self._beginning or differing - restore.keys():
            self._make_context()
        else:
            for make in dict.fromkeys(restore[part] for part in sorted(differing)):
                make()
        if differing or not self._beginning:
            self._beginning = self._beginning or self.look()
            assert self.look() == self._beginning

    def _make_context(self) -> None:
        for context in list(self._client.items(contexts.list_contexts())):
            self._client.send(contexts.delete_context(context.id))
        self._client.send(contexts.create_context(CONTEXT, namespace="acme", database="prod"))
        self._make_key()
        self._make_ontology()
        self._make_memories()
        self._client.send(scopes.register_scope(CONTEXT, SAMPLES["SCOPE"]))
        query = Request[Reply](
            "POST", path("/{id}/query", id=CONTEXT), Reply, json={"query": "tea"}
        )
        self._ids[SAMPLES["TRACE"]] = self._client.send(query).body["trace"]["traceId"]
        self._ids[SAMPLES["JOB"]] = self._client.send(lifecycle.reindex_context(CONTEXT)).job_id
        self._wait_for_jobs(CONTEXT)

    def _make_config(self) -> None:
        config = dict.fromkeys(json.loads(self._state[CONTEXT]["config"]))
        self._client.send(contexts.update_context(CONTEXT, config=config))

    def _make_key(self) -> None:
        for key in list(self._client.items(keys.list_keys(CONTEXT))):
            self._client.send(keys.delete_key(CONTEXT, key.id))
        for each in list(self._client.items(principals.list_principals(CONTEXT))):
            if each.id not in ("system", "admin"):
                self._client.send(principals.delete_principal(CONTEXT, each.id))
        request = keys.create_key(CONTEXT, SAMPLES["KEY"], principal="agent", scope_floor=None)
        self.secret = self._client.send(request).secret

    def _make_management_key(self) -> None:
        """A spare one, and none of the name that a creation gives."""
        for key in list(self._client.items(management_keys.list_management_keys())):
            if key.name in (SAMPLES["MANAGEMENT_KEY"], SAMPLES["NAME"]):
                self._client.send(management_keys.delete_management_key(key.id))
        name = SAMPLES["MANAGEMENT_KEY"]
        self._client.send(management_keys.create_management_key(name))

    def _make_ontology(self) -> None:
        self._client.send(ontology.set_ontology(CONTEXT, ONTOLOGY))

    def _make_memories(self) -> None:
        """A session with a turn, and a memory that is past its time."""
        send = self._client.send
        for old in list(self._client.items(sessions.list_sessions(CONTEXT))):
            send(sessions.delete_session(CONTEXT, old.id))
        session = self._ids[SAMPLES["SESSION"]] = send(sessions.create_session(CONTEXT)).id
        send(facts.create_facts(CONTEXT, [{"role": "user", "content": "Hi."}], session_id=session))
        past = {"memory_category": "context", "observed_at": "2020-01-01T00:00:00Z"}
        send(facts.create_fact(CONTEXT, "It rains.", **past))


def find_error(result: Result) -> dict[str, Any]:
    """The one error object of `-o json`, among the events of long work."""
    objects = [json.loads(line) for line in result.err.splitlines()]
    (error,) = [each for each in objects if "event" not in each]
    assert isinstance(error, dict)
    return error
