"""`spectronctl contexts clone`"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.cli._reporting import format_command
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import SecretOptions
from spectronctl.cli.commands.contexts._config import ProviderOption, parse_providers
from spectronctl.cli.commands.contexts._ids import check_id
from spectronctl.cli.commands.contexts._view import CLONE
from spectronctl.cli.secrets import reserve_secret
from spectronctl.cli.seen import remember_context
from spectronctl.errors import SpectronctlError, UsageError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.operations.clones import Clone, KeyPlan, Plan

app = App()


class CloneIfExists(StrEnum):
    """What a clone makes of a context that is there already."""

    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, kw_only=True)
class CloneOptions:
    """What is cloned, and where to."""

    namespace: Annotated[
        str,
        typer.Option(
            "--namespace", metavar="NAME", help="Bind the context to this SurrealDB namespace."
        ),
    ]
    database: Annotated[
        str,
        typer.Option(
            "--database", metavar="NAME", help="Bind the context to this SurrealDB database."
        ),
    ]
    provider: ProviderOption = None
    no_keys: Annotated[bool, typer.Option("--no-keys", help="Do not clone the keys.")] = False
    no_ontology: Annotated[
        bool, typer.Option("--no-ontology", help="Do not clone the ontology.")
    ] = False
    if_exists: Annotated[
        CloneIfExists,
        typer.Option(
            "--if-exists",
            help="Choose what to do if DST already exists; skip only adds what is missing.",
            show_default=True,
        ),
    ] = CloneIfExists.FAIL
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")
    ] = False


@app.command()
def clone_context(
    ctx: Context,
    source: Annotated[str, typer.Argument(metavar="SRC", help="Clone the context with this id.")],
    target: Annotated[str, typer.Argument(metavar="DST", help="Give the new context this id.")],
    options: CloneOptions,
    secret: SecretOptions,
) -> None:
    """
    Clone a context: configuration, ontology, keys with new secrets.

    Memories and sessions stay where they are, and providers' secrets never leave the server: give them with --provider.
    Keys keep their name, principal, scope floor and lifetime; expired ones and older generations are left out.
    Interrupted, it is finished by the same command with --if-exists skip.

    Examples:
      spectronctl contexts clone acme-prod c --namespace acme --database c --no-keys
      spectronctl contexts clone acme-prod d --namespace d --database d --dry-run
    """
    from spectronctl.operations import clones

    rt = ctx.runtime
    rt.out.check(CLONE)
    _check_ids(source, target)
    places = secret.parse_places(rt.env)
    plan = clones.plan_clone(
        rt.client,
        source,
        target,
        namespace=options.namespace,
        database=options.database,
        providers=parse_providers(options.provider, rt),
        with_ontology=not options.no_ontology,
        with_keys=not options.no_keys,
        if_exists=options.if_exists.value,
    )
    if places or not options.dry_run:
        _check_places(rt, plan, secret)
    clone = clones.Clone(plan=plan)
    if not options.dry_run:
        _make(rt, clone, options, secret)
    _tell(rt, plan, dry_run=options.dry_run)
    rt.out.show(_describe(rt, clone, secret, dry_run=options.dry_run), CLONE)


def _check_ids(source: str, target: str) -> None:
    check_id(target)
    if source == target:
        raise UsageError(f"{source} cannot be cloned to itself: choose another id")


def _check_places(rt: Runtime, plan: Plan, secret: SecretOptions) -> None:
    """Before anything is made: every secret has a place, and each of the places will do."""
    if plan.new_keys:
        secret.parse_places_of_many(rt.env, count=len(plan.new_keys))
    for key in plan.new_keys:
        # Tried and let go: the last place that fails would otherwise do so after context and keys were made. Each is
        # reserved again when its key's turn comes.
        with reserve_secret(rt, secret, context=plan.target, name=key.name):
            pass


def _make(rt: Runtime, clone: Clone, options: CloneOptions, secret: SecretOptions) -> None:
    from spectronctl.operations import clones

    target = clone.plan.target
    total = len(list(clone.list_missing())) + (clone.plan.found is None)
    with rt.out.progress("made", total) as progress:
        try:
            clones.make_clone(
                rt.client,
                clone,
                lambda name: reserve_secret(rt, secret, context=target, name=name),
                on_made=progress.advance,
            )
        # An interrupt as well: what was made stays, and the command that goes on is known only here.
        except (SpectronctlError, KeyboardInterrupt) as exc:
            _explain_stop(rt, exc, clone, options, secret)
            raise
    remember_context(rt, target)


def _explain_stop(
    rt: Runtime,
    stop: SpectronctlError | KeyboardInterrupt,
    clone: Clone,
    options: CloneOptions,
    secret: SecretOptions,
) -> None:
    """Say what was made and what was not, what is to be seen to first, and the command that goes on."""
    from spectronctl.operations.clones import join_words

    told = " ".join(
        [
            f"Made: {join_words(clone.list_made())}. Not made: {join_words(clone.list_missing())}.",
            *_describe_unfinished(rt, clone),
        ]
    )
    command = _format_command(rt, clone.plan, options, secret)
    if isinstance(stop, KeyboardInterrupt):
        rt.out.leave(f"interrupted. {told}\nTo continue: {command}")
    # Otherwise nothing is there, and the error's own way out is the better one.
    elif clone.context is not None or clone.plan.found is not None:
        stop.hint = " ".join(filter(None, [stop.hint, told]))
        stop.command = command


def _describe_unfinished(rt: Runtime, clone: Clone) -> Iterator[str]:
    """What going on would take for finished: each such key with the command that mends it."""
    target = clone.plan.target
    # Such keys may be in the list by now, and `--if-exists skip` passes over what is there.
    for name in clone.scattered:
        command = format_command(rt, "keys", "rotate", name, "-c", target)
        yield f"The secret of key {name} is in some of its places only; for a fresh one: {command}"
    for name in clone.stray:
        command = format_command(rt, "keys", "delete", name, "-c", target, "--if-missing", "ok")
        yield f"Key {name} may exist, and its secret is lost; before you continue: {command}"


def _format_command(rt: Runtime, plan: Plan, options: CloneOptions, secret: SecretOptions) -> str:
    words = ["--namespace", plan.namespace, "--database", plan.database]
    for text in options.provider or ():  # says where a secret is, never the secret
        words += ["--provider", text]
    words += ["--no-keys"] if options.no_keys else secret.list_words()
    words += ["--no-ontology"] if options.no_ontology else []
    return format_command(
        rt, "contexts", "clone", plan.source, plan.target, *words, "--if-exists", "skip"
    )


def _tell(rt: Runtime, plan: Plan, *, dry_run: bool) -> None:
    """What people should know of the clone, and what is left to them."""
    rt.out.note(
        f"Context {plan.source} would become {plan.target}; nothing was made."
        if dry_run
        else f"Cloned context {plan.source} to {plan.target}."
    )
    if plan.context_outcome == "different":
        rt.out.warn(f"the configuration of {plan.target} is another one; it was left as it is")
    if plan.ontology_outcome == "different":
        rt.out.warn(f"the ontology of {plan.target} is another one; it was left as it is")
    if kept := [key.name for key in plan.keys if key.found]:
        rt.out.note(
            f"These keys already exist and were not changed; their secrets are not known here: {', '.join(kept)}.\n"
            f"For new ones: {format_command(rt, 'keys', 'rotate', 'KEY', '-c', plan.target)}"
        )
    if plan.lacking:
        given = [word for name in plan.lacking for word in ("--provider", f"{name}=env:VAR")]
        rt.out.note(
            f"Secrets of providers were not copied: {', '.join(plan.lacking)}.\n"
            f"To set them: {format_command(rt, 'contexts', 'update', plan.target, *given)}"
        )


def _describe(rt: Runtime, clone: Clone, secret: SecretOptions, *, dry_run: bool) -> dict[str, Any]:
    plan = clone.plan
    context = clone.context or plan.found
    return {
        "source": plan.source,
        "id": plan.target,
        "dry_run": dry_run,
        "outcome": plan.context_outcome,
        "context": context.to_dict() if context else None,
        "ontology": plan.ontology_outcome if plan.ontology else None,
        "keys": [_describe_key(rt, clone, key, secret) for key in plan.keys],
        "providers_lacking": list(plan.lacking),
    }


def _describe_key(rt: Runtime, clone: Clone, key: KeyPlan, secret: SecretOptions) -> dict[str, Any]:
    there = clone.keys.get(key.name) or key.found
    places = () if key.found else secret.parse_places(rt.env)
    filled = [place.fill(context=clone.plan.target, name=key.name) for place in places]
    return {
        "name": key.name,
        "outcome": key.outcome,
        "id": there.id if there else None,
        "principal": there.principal if there else key.principal,
        "scope_floor": there.scope_floor if there else key.scope_floor,
        "expires_at": there.expires_at if there else None,
        "places": [place.label for place in filled],
    }
