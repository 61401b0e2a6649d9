"""Many processes change one ontology at once, on a server that runs on a socket: no change is lost."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.support.processes import Serve, Shell
from tests.support.soak import SOAK

pytestmark = pytest.mark.timeout(300)

PROCESSES = 20 if SOAK else 8


@pytest.mark.parametrize("store", ["surrealkv", *["mem://"] * SOAK])
def test_many_additions_at_once_are_all_there(shell: Shell, serve: Serve, store: str) -> None:
    url = store if store == "mem://" else f"surrealkv://{shell.home}/store"
    served = serve(f"--store {url} --port 0")
    shell.env |= {**served.env, "SPECTRON_CONTEXT_ID": "acme-prod"}
    shell("contexts create acme-prod --namespace acme --database prod").check_returncode()
    shell(
        "ontology add --entity-type First --attribute First=a --relation knows"
    ).check_returncode()
    running = [
        shell.start(
            f"ontology add --entity-type T{n} --attribute T{n}=name",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for n in range(PROCESSES)
    ]
    for process in running:
        _, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
    found = json.loads(shell("ontology get -o json").stdout)
    wanted = {f"T{n}" for n in range(PROCESSES)}
    assert (found["entity_types"][0], len(found["entity_types"])) == ("First", PROCESSES + 1)
    assert set(found["entity_types"][1:]) == wanted
    assert found["attribute_keys"] == {"First": ["a"], **{name: ["name"] for name in wanted}}
    assert found["relation_labels"] == ["knows"]


def test_additions_and_removals_at_once_do_not_undo_each_other(shell: Shell, serve: Serve) -> None:
    served = serve()
    shell.env |= {**served.env, "SPECTRON_CONTEXT_ID": "acme-prod"}
    shell("contexts create acme-prod --namespace acme --database prod").check_returncode()
    old = " ".join(f"--relation old{n}" for n in range(5))
    shell(f"ontology add {old}").check_returncode()
    lines = [f"ontology remove --relation old{n} --yes" for n in range(5)] + [
        f"ontology add --relation new{n}" for n in range(5)
    ]
    running = [
        shell.start(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for line in lines
    ]
    for process in running:
        _, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
    found = json.loads(shell("ontology get -o json").stdout)
    assert sorted(found["relation_labels"]) == [f"new{n}" for n in range(5)]
