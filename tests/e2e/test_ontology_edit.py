"""`ontology edit` at a real terminal: the editor and the questions share it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pexpect

from tests.support.processes import SPECTRONCTL, Serve, Shell

EDITOR = f"""#!{sys.executable}
import sys
from pathlib import Path

assert sys.stdin.isatty() and sys.stdout.isatty()
path = Path(sys.argv[-1])
word = input("replace Company by: ")
path.write_text(path.read_text().replace("- Company", f"- {{word}}"))
"""


def test_a_person_edits_mends_and_agrees(shell: Shell, serve: Serve, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text(EDITOR)
    editor.chmod(0o755)
    shell.env |= {
        **serve().env,
        "SPECTRON_CONTEXT_ID": "acme-prod",
        "EDITOR": str(editor),
        "TERM": "dumb",
        "TMPDIR": str(tmp_path),
    }
    shell("contexts create acme-prod --namespace acme --database prod").check_returncode()
    shell("ontology add --entity-type Person --entity-type Company").check_returncode()
    settings: dict[str, Any] = {"env": shell.environment(), "encoding": "utf-8", "timeout": 30}
    with pexpect.spawn(SPECTRONCTL, ["ontology", "edit"], **settings) as terminal:
        terminal.expect_exact("replace Company by: ")
        terminal.sendline("Person")
        terminal.expect_exact("Person stands at entity_types[0] already. Edit it again? [y/N] ")
        terminal.sendline("y")
        terminal.expect_exact("replace Company by: ")
        terminal.sendline("nothing that is there")
        terminal.expect_exact("Edit it again? [y/N] ")
        terminal.sendline("n")
        terminal.expect_exact("Your text is kept in ")
        terminal.expect(pexpect.EOF)
    with pexpect.spawn(SPECTRONCTL, ["ontology", "edit"], **settings) as terminal:
        terminal.expect_exact("replace Company by: ")
        terminal.sendline("City")
        terminal.expect_exact("Remove entity type Company from the ontology")
        terminal.sendline("y")
        terminal.expect_exact("Changed the ontology of context acme-prod.")
        terminal.expect(pexpect.EOF)
    found = json.loads(shell("ontology get -o json").stdout)
    assert found["entity_types"] == ["Person", "City"]
