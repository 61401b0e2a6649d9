"""`spectronctl keys rotate`"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.cli import batch
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption, SecretOptions
from spectronctl.cli.commands.keys._filters import FilterOptions
from spectronctl.cli.commands.keys._options import (
    ManyOptions,
    MethodOptions,
    RecoverOption,
    WaitOption,
)
from spectronctl.cli.commands.keys._view import (
    PLANNED,
    ROTATED,
    describe_plan,
    describe_rotated,
    summarize_rotation,
)
from spectronctl.cli.consent import check_confirmable, get_consent
from spectronctl.cli.listing import refuse_limit
from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.ground.times import format_duration
from spectronctl.models.keys import split_name

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.keys import Key, MintedKey
    from spectronctl.operations.keys import KeyFilter
    from spectronctl.operations.rotations import Rotation, Rotations
    from spectronctl.output.sinks import Place

app = App()


@app.command()
def rotate_keys(
    ctx: Context,
    how: MethodOptions,
    secret: SecretOptions,
    filters: FilterOptions,
    many: ManyOptions,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="Use the key with this id or name.")
    ] = None,
    confirm: ConfirmOption = None,
    recover: RecoverOption = False,
    wait: WaitOption = False,
) -> None:
    """
    Give a key a new secret, at once or with an overlap.

    With an overlap, a successor is made, and the old key works for a while.

    In place, the old secret stops working at once. Every step is saved in a journal, so that
    'spectronctl keys rotations resume' finishes what was interrupted.

    Examples:
      spectronctl keys rotate app-agent --secret-file app.key --force
      spectronctl keys rotate app-agent --overlap 24h --secret-file app.key --force
      spectronctl keys rotate --older-than 90d --secret-file {name} --dry-run
    """
    from spectronctl.cli.rotating import open_rotations

    rt = ctx.runtime
    rt.out.check(PLANNED if many.dry_run else ROTATED)
    selection = filters.read()
    is_many = _check_selection(key, many, selection)
    if many.every:
        refuse_limit(rt, "--all")
    if is_many:
        batch.refuse_limit(rt, "rotations")
    places = _read_places(rt, secret, is_many=is_many, dry_run=many.dry_run)
    how.check()
    context = rt.context
    if not many.dry_run:
        # Everything that can be refused without the server comes first: consent, places, and below the journal, which
        # is tried when it is opened.
        check_confirmable(rt, f"Rotate keys of {context}?", name=context, confirmed=confirm)
        _check_places(rt, places)
    rotations = open_rotations(rt, recover=recover)
    plans = _plan(rt, rotations, key, selection, places, how, reveal=secret.reveal)
    if many.dry_run:
        _show_plans(rt, plans, is_many=is_many)
        return
    _confirm(rt, plans, how, confirm)
    if is_many:
        _rotate_many(rt, rotations, plans, many, force=secret.force, wait=wait)
    else:
        _rotate_one(rt, rotations, plans[0], force=secret.force, wait=wait)


def _check_selection(key: str | None, many: ManyOptions, selection: KeyFilter) -> bool:
    """Whether several keys are meant; UsageError unless either one key or a selection is."""
    is_many = many.every or selection.is_set
    if key is not None and is_many:
        raise UsageError(f"either KEY ({key}) or a selection such as --all: not both")
    if key is None and not is_many:
        raise UsageError(
            "which key?",
            hint="Name one, or select with --all, --older-than, --match and the like.",
        )
    if many.every and selection.is_set:
        raise UsageError("--all is every key: leave the other selections out")
    return is_many


def _read_places(
    rt: Runtime, secret: SecretOptions, *, is_many: bool, dry_run: bool
) -> tuple[Place, ...]:
    from spectronctl.output.sinks import check_secret_output

    places = secret.parse_places(rt.env)
    if dry_run and not places:  # it mints nothing that would need one
        return places
    if is_many:
        # How many there are is known only to the server: the places must fit several.
        return secret.parse_places_of_many(rt.env, count=2)
    if not dry_run:
        check_secret_output(rt.streams, reveal=secret.reveal, has_file=bool(places))
    return places


def _check_places(rt: Runtime, places: Sequence[Place]) -> None:
    """Before anything is sent: what is known of the places already must do."""
    from spectronctl.output.sinks import open_sink

    for place in places:
        # The others have no path until the keys are listed; each is tried again when its rotation begins.
        if not place.placeholders:
            sink = open_sink(place, replace=True, env=rt.env)
            sink.reserve()
            sink.discard()


def _plan(
    rt: Runtime,
    rotations: Rotations,
    key: str | None,
    selection: KeyFilter,
    places: Sequence[Place],
    how: MethodOptions,
    *,
    reveal: bool,
) -> list[Rotation]:
    from spectronctl.cli.rotating import find_server
    from spectronctl.operations.keys import choose_key
    from spectronctl.operations.rotations import plan_many, select_newest

    context = rt.context
    overlap, drain = how.seconds
    keys = rotations.rotator.directory.list_keys(context)
    now = rt.client.server_time()  # keys were made, used and expire by the server's clock
    return plan_many(
        [found for found in select_newest(keys) if selection.keeps(found, now)]
        if key is None
        else [choose_key(keys, key, context)],
        keys,
        lambda found: _fill_places(places, context, found, reveal=reveal),
        now=now,
        # A key that is named must be fit to be rotated; of a selection the unfit ones are rows with an error.
        is_strict=key is not None,
        url=find_server(rt),
        context=context,
        method=how.method,
        overlap=overlap,
        drain=drain,
    )


def _fill_places(
    places: Sequence[Place], context: str, key: Key, *, reveal: bool
) -> list[dict[str, Any]]:
    from spectronctl.cli.places import STDOUT

    name = split_name(key.name)[0]
    filled = [place.fill(context=context, name=name, id=key.id).to_dict() for place in places]
    return filled if filled and not reveal else [*filled, {"kind": STDOUT}]


def _show_plans(rt: Runtime, plans: Sequence[Rotation], *, is_many: bool) -> None:
    rows = [describe_plan(plan) for plan in plans]
    rt.out.note(f"{len(rows)} to rotate; nothing was sent.")
    if is_many:
        rt.out.rows(rows, PLANNED)
    else:
        rt.out.show(rows[0], PLANNED)


def _rotate_one(
    rt: Runtime, rotations: Rotations, plan: Rotation, *, force: bool, wait: bool
) -> None:
    """Rotate a key and show the one that has the new secret."""
    from spectronctl.cli.batch import Outcome
    from spectronctl.cli.places import STDOUT, open_places
    from spectronctl.cli.rotating import explain_interrupt, foresee, wait_for

    outcome = Outcome["Rotation", "MintedKey | None"](plan, is_begun=True)

    def show(rotation: Rotation, minted: MintedKey) -> None:
        outcome.result = minted
        after = Outcome["Rotation", "MintedKey | None"](
            foresee(rotation, rt.client.server_time()), is_begun=True
        )
        rt.out.secret({**minted.to_dict(), **summarize_rotation(after)}, ROTATED)

    with explain_interrupt(rt, rotations, plan):
        try:
            outcome.result = rotations.begin(
                plan, partial(open_places, rt, show=show, check_files=not force)
            )
        except SpectronctlError as exc:
            # What passes here was printed and is over: only the trial of the secret failed, and an error would read as
            # if it were lost.
            if outcome.result is None or plan.is_open:
                raise
            rt.out.warn(f"the new secret was printed, and could not be tried: {exc.text}")
        _tell(rt, plan)
        if wait:
            outcome.item = wait_for(rt, rotations, plan)
    # Otherwise it stands on stdout since the secret was shown: a result is one document.
    if {"kind": STDOUT} not in plan.places:
        rt.out.show(describe_rotated(outcome), ROTATED)


def _tell(rt: Runtime, rotation: Rotation) -> None:
    from spectronctl.cli.places import label_place

    where = " and ".join(label_place(place) for place in rotation.places)
    old = f"{rotation.key['name']} ({rotation.key['id']})"
    new = f"{rotation.successor_name} ({rotation.successor_id})"
    how = f"{old} in place" if rotation.method == "in place" else f"{old} to {new}"
    rt.out.note(f"Rotated key {how}. The secret is in {where}.")
    if rotation.is_open:
        rt.out.note(f"The old key works until {rotation.due_at}; then: {rotation.resume_command}")


def _rotate_many(
    rt: Runtime,
    rotations: Rotations,
    plans: Sequence[Rotation],
    many: ManyOptions,
    *,
    force: bool,
    wait: bool,
) -> None:
    """Rotate keys, show each with what became of it, and fail when any did."""
    from spectronctl.cli.places import open_places
    from spectronctl.cli.rotating import make_batch, wait_for_all

    open_each = partial(open_places, rt, check_files=not force)
    work = make_batch(
        lambda plan: rotations.begin(plan, open_each),
        label="rotated",
        parallel=many.parallel,
        max_failures=many.max_failures,
    )
    outcomes = work.run(rt, plans)
    if wait:
        wait_for_all(rt, rotations, outcomes)
    rt.out.rows(map(describe_rotated, outcomes), ROTATED)
    work.raise_failures(outcomes)


def _confirm(
    rt: Runtime, plans: Sequence[Rotation], how: MethodOptions, confirm: str | None
) -> None:
    if not plans:
        return
    names = ", ".join(f"{plan.key['name']} ({plan.key['id']})" for plan in plans[:5])
    more = f" and {len(plans) - 5} more" if len(plans) > 5 else ""
    get_consent(
        rt,
        f"Rotate {names}{more} of context {rt.context}? {_describe_consequence(how)}",
        name=rt.context,
        confirmed=confirm,
        declined="Nothing was rotated.",
    )


def _describe_consequence(how: MethodOptions) -> str:
    match how.method:
        case "in place":
            return (
                "The old secret stops working at once: its users fail until they have the new one."
            )
        case "leaked":
            return "The old key is deleted first: requests that use it fail at once."
    overlap, drain = map(format_duration, how.seconds)
    return f"The old key is deleted after {overlap}, once it has not been used for {drain}."
