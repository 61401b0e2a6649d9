"""`spectronctl keys rotate`"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption, SecretOptions
from spectronctl.cli.commands.keys._filters import FilterOptions
from spectronctl.cli.commands.keys._options import ParallelOption, RecoverOption, WaitOption
from spectronctl.cli.commands.keys._view import ROTATED
from spectronctl.cli.consent import check_confirmable, get_consent
from spectronctl.config.durations import format_duration, parse_duration
from spectronctl.config.values import parse_named
from spectronctl.errors import UsageError
from spectronctl.models.keys import split_name
from spectronctl.models.times import write_time
from spectronctl.output.views import Column, View

if TYPE_CHECKING:
    from spectronctl.cli.commands.keys._rotations import Rotations
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.keys import Key
    from spectronctl.operations.keys import KeyFilter
    from spectronctl.operations.rotations import Method, Rotation
    from spectronctl.output.sinks import Place

app = App()

DEFAULT_DRAIN = "5m"

PLANNED = View(
    columns=(
        Column("name"),
        Column("id"),
        Column("method"),
        Column("successor"),
        Column("old_key_until", kind="time"),
        Column("places", kind="list"),
        Column("error"),
    ),
    name="name",
    plural="keys",
)


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """How a key is rotated."""

    overlap: Annotated[
        str | None,
        typer.Option("--overlap", metavar="DURATION", help="Keep the old key working this long."),
    ] = None
    drain: Annotated[
        str | None,
        typer.Option(
            "--drain",
            metavar="DURATION",
            help="With --overlap: not deleted while used within this time.  [default: 5m]",
        ),
    ] = None
    leaked: Annotated[
        bool, typer.Option("--leaked", help="Delete the old key first, then mint and deliver.")
    ] = False

    @property
    def method(self) -> Method:
        """What the options say; UsageError when they contradict each other."""
        if self.leaked and self.overlap is not None:
            raise UsageError(
                "--leaked deletes the old key at once, --overlap keeps it: give one of them"
            )
        if self.drain is not None and self.overlap is None:
            raise UsageError("--drain says how --overlap ends: give --overlap too")
        if self.overlap is not None:
            return "overlap"
        return "leaked" if self.leaked else "in place"

    def check(self) -> None:
        """Read everything once, so that what is wrong is said before anything is sent."""
        _ = self.method, self.seconds

    @property
    def seconds(self) -> tuple[float, float]:
        """The overlap and the drain."""
        overlap = parse_named(parse_duration, self.overlap or "0s", "--overlap")
        return overlap, parse_named(parse_duration, self.drain or DEFAULT_DRAIN, "--drain")


@dataclass(frozen=True, kw_only=True)
class ManyOptions:
    """Which keys, and how many at a time."""

    every: Annotated[bool, typer.Option("--all", help="Rotate every key of the context.")] = False
    parallel: ParallelOption = 4
    max_failures: Annotated[
        int,
        typer.Option("--max-failures", min=1, metavar="N", help="Begin no more after N failures."),
    ] = 10
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would happen, and send nothing.")
    ] = False


@app.command()
def rotate_keys(
    ctx: Context,
    how: MethodOptions,
    secret: SecretOptions,
    filters: FilterOptions,
    many: ManyOptions,
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="Id or name of the key.")] = None,
    confirm: ConfirmOption = None,
    recover: RecoverOption = False,
    wait: WaitOption = False,
) -> None:
    """
    Give a key a new secret: in place, or through a successor while the old key goes on for a while.

    In place the old secret stops at once, for everyone who holds it. Every step is journalled, so that
    'spectronctl keys rotations resume' finishes what was interrupted.
    """
    from spectronctl.cli.commands.keys._rotations import Rotations
    from spectronctl.cli.commands.keys._running import rotate_many, rotate_one

    rt = ctx.runtime
    rt.out.check(PLANNED if many.dry_run else ROTATED)
    selection = filters.read()
    is_many = _check_selection(key, many, selection)
    places = _read_places(rt, secret, is_many=is_many)
    how.check()
    context = rt.context
    if not many.dry_run:
        check_confirmable(rt, f"Rotate keys of {context}?", name=context, confirmed=confirm)
        _check_places(rt, places)
    rotations = Rotations(rt, recover=recover, force=secret.force)
    plans = _plan(rt, rotations, key, selection, places, how, reveal=secret.reveal)
    if many.dry_run:
        _show_plans(rt, plans, is_many=is_many)
        return
    _confirm(rt, plans, how, confirm)
    if is_many:
        rotate_many(
            rotations, plans, parallel=many.parallel, max_failures=many.max_failures, wait=wait
        )
    else:
        rotate_one(rotations, plans[0], wait=wait)


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


def _read_places(rt: Runtime, secret: SecretOptions, *, is_many: bool) -> tuple[Place, ...]:
    from spectronctl.output.sinks import check_secret_output

    if is_many:
        return secret.read_places_of_many(rt.env, count=2)
    places = secret.read_places(rt.env)
    check_secret_output(rt.streams, reveal=secret.reveal, has_file=bool(places))
    return places


def _check_places(rt: Runtime, places: Sequence[Place]) -> None:
    """Before anything is sent: what is known of the places already must do."""
    from spectronctl.output.sinks import open_sink

    for place in places:
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
    from spectronctl.cli.commands.keys._rotations import find_server
    from spectronctl.operations.keys import choose_key
    from spectronctl.operations.rotations import check_plan, plan_rotation, select_newest

    context, now = rt.context, datetime.now(UTC)
    overlap, drain = how.seconds
    keys = rotations.rotator.directory.list_keys(context)
    chosen = (
        [found for found in select_newest(keys) if selection.keeps(found, now)]
        if key is None
        else [choose_key(keys, key, context)]
    )
    plans = []
    for found in chosen:
        plan = plan_rotation(
            found,
            keys,
            url=find_server(rt),
            context=context,
            method=how.method,
            overlap=overlap,
            drain=drain,
            places=_fill_places(places, context, found, reveal=reveal),
            now=now,
        )
        try:
            check_plan(plan, found, now)
        except UsageError as exc:
            if key is not None:
                raise
            plan.error = exc.message  # one of many: the others go on without it
        plans.append(plan)
    return plans


def _fill_places(
    places: Sequence[Place], context: str, key: Key, *, reveal: bool
) -> list[dict[str, Any]]:
    from spectronctl.cli.commands.keys._rotations import STDOUT

    name = split_name(key.name)[0]
    filled = [place.fill(context=context, name=name, id=key.id).to_dict() for place in places]
    return filled if filled and not reveal else [*filled, {"kind": STDOUT}]


def _show_plans(rt: Runtime, plans: Sequence[Rotation], *, is_many: bool) -> None:
    rows = [_describe_plan(plan) for plan in plans]
    rt.out.note(f"{len(rows)} to rotate; nothing was sent.")
    if is_many:
        rt.out.rows(rows, PLANNED)
    else:
        rt.out.show(rows[0], PLANNED)


def _describe_plan(plan: Rotation) -> dict[str, Any]:
    from spectronctl.cli.commands.keys._rotations import label_place

    until = datetime.now(UTC) + timedelta(seconds=plan.overlap)
    return {
        "name": plan.key["name"],
        "id": plan.key["id"],
        "context": plan.context,
        "method": plan.method,
        "successor": plan.successor_name,
        "old_key_until": write_time(until) if plan.method == "overlap" else None,
        "places": [label_place(place) for place in plan.places],
        "error": plan.error,
    }


def _confirm(
    rt: Runtime, plans: Sequence[Rotation], how: MethodOptions, confirm: str | None
) -> None:
    if not plans:
        return
    names = ", ".join(f"{plan.key['name']} ({plan.key['id']})" for plan in plans[:5])
    more = f" and {len(plans) - 5} more" if len(plans) > 5 else ""
    get_consent(
        rt,
        f"Rotate {names}{more} of context {rt.context}? {_tell_consequence(how)}",
        name=rt.context,
        confirmed=confirm,
        declined="Nothing was rotated.",
    )


def _tell_consequence(how: MethodOptions) -> str:
    match how.method:
        case "in place":
            return (
                "The old secret stops at once: whoever holds it fails until they have the new one."
            )
        case "leaked":
            return "The old key is deleted first: whoever holds it fails at once."
    overlap, drain = map(format_duration, how.seconds)
    return f"The old key is deleted after {overlap}, once nobody has used it for {drain}."
