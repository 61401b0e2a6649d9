"""`spectronctl lifecycle decay`"""

from __future__ import annotations

from typing import Any

from spectronctl.api import lifecycle as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands.lifecycle._consent import ExpiryConsent
from spectronctl.cli.commands.lifecycle._options import ContextOptions
from spectronctl.cli.commands.lifecycle._view import DECAY, DECAYS
from spectronctl.cli.contexts import Task, check_contexts, run_in_contexts

app = App()


@app.command()
def decay_contexts(ctx: Context, chosen: ContextOptions, confirm: ConfirmOption = None) -> None:
    """
    Expire memories that are past their time, and prune the cache.

    Examples:
      spectronctl lifecycle decay acme-prod
      spectronctl lifecycle decay --all-contexts --yes
    """
    rt = ctx.runtime
    check_contexts(rt, chosen, DECAY, DECAYS)
    consent = ExpiryConsent(rt, chosen, confirm)
    consent.check()
    task = Task(
        # With the management key: decay is an operator's call. Expiry is the context's own, and takes its key.
        lambda context: rt.client.send(api.decay_context(context)).to_dict(),
        _say,
        command="spectronctl lifecycle decay",
        view=DECAY,
        summary=DECAYS,
        agree=consent.ask,
    )
    run_in_contexts(rt, chosen, task)


def _say(response: dict[str, Any]) -> str:
    memories, entries = response.get("expired_memories"), response.get("pruned_cache_entries")
    if memories is None or entries is None:
        return f"{response['affected']} affected."
    return (
        f"Expired {memories} {'memory' if memories == 1 else 'memories'},"
        f" pruned {entries} cache {'entry' if entries == 1 else 'entries'}."
    )
