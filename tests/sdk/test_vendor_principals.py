"""The vendor's SDKs, unmodified, see principals, and grant and revoke what the next call may do."""

from __future__ import annotations

import pytest

from tests.sdk.test_vendor_sessions import SDKS, run_script
from tests.support.processes import Serve, Shell


@pytest.mark.sampled(1)
@pytest.mark.parametrize(("environment", "module"), SDKS)
def test_grants_come_and_go_unmodified(
    environment: str, module: str, serve: Serve, shell: Shell
) -> None:
    served = serve()
    shell("contexts create acme-prod --namespace acme --database prod", env=served.env)
    key = shell("keys create app -c acme-prod", env=served.env).stdout.strip()

    answers = run_script("grant_and_revoke.py", environment, module, served.url, key, served.key)

    prefix = module.rpartition(".")[2].title()
    for kind in ("sync", "async"):
        told = answers[kind]
        assert told["listed"] == {"admin": "admin", "system": "system", told["who"]: "app"}
        assert told["granted"]["memory:forget"] == [f"org/{kind}/*"]
        assert told["now"] == [
            f"org/{kind}/x/",
            ["memory:read", "memory:write", "memory:forget", "scope:read"],
        ]
        assert (told["expired"], told["before"]) == (0, [])
        left = {verb: ["/*"] for verb in ("memory:read", "memory:write", "scope:read")}
        assert told["revoked"] == [left, left]
        assert told["acting"] == left
        assert {name: refusal[:2] for name, refusal in told["refusals"].items()} == {
            "forgetting": [f"{prefix}ScopeError", 403],
            "listing": [f"{prefix}ScopeError", 403],
            "unknown": [f"{prefix}NotFoundError", 404],
            "flat": [f"{prefix}APIError", 400],
            "acting": [f"{prefix}ScopeError", 403],
        }
