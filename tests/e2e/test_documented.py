"""The invocations that the product's documentation prints, letter for letter."""

from __future__ import annotations

import pexpect
import pytest

from tests.support.processes import SPECTRONCTL, Serve, Shell


@pytest.mark.timeout(120, func_only=True)  # whatever the wait for the port
@pytest.mark.usefixtures("port_9090")
def test_the_documented_invocations_run_with_no_configuration(serve: Serve, shell: Shell) -> None:
    served = serve("--store mem:// --port 9090")
    assert served.url == "http://127.0.0.1:9090"

    created = shell(
        "contexts create acme-prod --namespace acme --database prod"
        " --model-extraction openai/gpt-4o-mini --token-limit 1000000"
        f" --api-key {served.key}"
    )
    assert (created.returncode, "acme-prod" in created.stdout) == (0, True)
    assert "can be seen in `ps`" in created.stderr
    assert served.key not in created.stdout + created.stderr

    listed = shell(f"contexts list --api-key {served.key}")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["ID", "acme-prod"]

    person = pexpect.spawn(
        SPECTRONCTL,
        ["contexts", "delete", "acme-prod", "--api-key", served.key],
        env=shell.environment({"TERM": "xterm"}),
        encoding="utf-8",
        timeout=20,
    )
    person.expect(r"Delete context acme-prod.*\[y/N\] ")
    person.sendline("y")
    person.expect("Deleted context acme-prod.")
    person.expect(pexpect.EOF)
    person.close()
    assert person.exitstatus == 0
    assert shell(f"contexts list -o json --api-key {served.key}").stdout == "[]\n"


def test_no_one_at_the_default_address_is_told_the_ways_out(shell: Shell) -> None:
    result = shell(
        "contexts list --api-key k --retries 0", env={"SPECTRON_URL": "http://localhost:9"}
    )
    assert result.returncode == 9
    for way in ("--url", "spectronctl serve", "--profile local"):
        assert way in result.stderr
