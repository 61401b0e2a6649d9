"""What a change of a context's config shows, and asks, before it costs anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spectronctl.cli.consent import get_consent

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.operations.contexts import Update


class UpdateConsent:
    """Asks about an update that loses something; `confirmed` is what `--confirm` says."""

    def __init__(self, rt: Runtime, confirmed: str | None) -> None:
        self._rt = rt
        self._confirmed = confirmed

    def __call__(self, update: Update) -> None:
        """DeclinedError when a person says no; UsageError when the session is not interactive."""
        if not update.losses:
            return
        rt, name = self._rt, update.context.id
        rt.out.difference({"config": update.before}, {"config": update.after})
        get_consent(
            rt,
            f"Update context {name} of {rt.place}? Then {'; '.join(update.losses)}.",
            name=name,
            confirmed=self._confirmed,
            declined="Nothing was changed.",
        )


def show_update(rt: Runtime, update: Update) -> None:
    """What has changed, field by field, unless the question has shown it."""
    if not update.losses:
        rt.out.difference({"config": update.before}, {"config": update.after})
