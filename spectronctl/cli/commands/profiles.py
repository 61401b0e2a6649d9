"""`spectronctl profiles`"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.runtime import Runtime
from spectronctl.config import editing, profiles
from spectronctl.config.credentials import Credential, digest
from spectronctl.errors import AuthError, ConfigError, UsageError
from spectronctl.local.locations import config_path
from spectronctl.output.views import Column, View

app = App()

PROFILES = View(
    columns=(
        Column("name", kind="id"),
        Column("default", kind="id"),
        Column("protected", kind="id"),
        Column("url"),
        Column("context", kind="id"),
        Column("key"),
    ),
    wide=(Column("auth_header"), Column("ca_file"), Column("timeout"), Column("retries")),
    name="name",
    plural="profiles",
)
CURRENT = View(
    columns=(Column("name", kind="id"), Column("url"), Column("source")),
    name="name",
    plural="profiles",
)
PATH = View(columns=(Column("path"),), name="path")

VALUES = View(
    columns=(Column("setting", kind="id"), Column("value", kind="id"), Column("source")),
    name="setting",
    plural="settings",
)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Use the profile with this name.")
]
FieldArgument = Annotated[
    str,
    typer.Argument(
        metavar="FIELD", help="Change this field, such as url, context or api_key_file."
    ),
]

KEPT_FLAGS = ("url", "context", "timeout", "retries", "api_key", "api_key_file")
"""Global options that `profiles add` keeps, since they mean the same there."""


@app.command("list")
def list_profiles(ctx: Context) -> None:
    """
    List the profiles, the built-in `local` included.

    Examples:
      spectronctl profiles list
    """
    rt = ctx.runtime
    rt.out.check(PROFILES)
    default = rt.config.profile
    names = [*rt.config.profiles, profiles.LOCAL]
    rows = (_describe(profiles.find_profile(rt.config, name), default) for name in names)
    rt.out.rows(rows, PROFILES)


def _describe(profile: profiles.Profile, default: str | None) -> dict[str, Any]:
    return {
        "name": profile.name,
        "default": profile.name == default,
        "url": None if profile.name == profiles.LOCAL else profile.url,
        "context": profile.context,
        "key": profile.credential and profile.credential.source.rpartition(" ")[2],
        "protected": bool(profile.protected),
        "auth_header": profile.auth_header,
        "ca_file": profile.ca_file,
        "timeout": profile.timeout,
        "retries": profile.retries,
    }


@app.command("get")
def get_profile(ctx: Context, name: NameArgument) -> None:
    """
    Show one profile as the config file has it, keys by their source.

    Examples:
      spectronctl profiles get prod
    """
    rt = ctx.runtime
    rt.out.check(PROFILES)
    profile = profiles.find_profile(rt.config, name)
    keys = {context: kept.source for context, kept in profile.context_keys.items()}
    row = {**_describe(profile, rt.config.profile), "context_keys": keys}
    rt.out.show(row, PROFILES)


@app.command("current")
def show_current(ctx: Context) -> None:
    """
    Show which profile is used here and now, and what chose it.

    Examples:
      spectronctl profiles current
      spectronctl profiles current -o name
    """
    rt = ctx.runtime
    rt.out.check(CURRENT)
    chosen = rt.settings.profile
    if chosen.value is None:
        raise ConfigError(
            "no profile is used",
            hint="Choose one with --profile NAME or SPECTRONCTL_PROFILE, or make one the default.",
            command="spectronctl profiles use NAME",
        )
    row = {"name": chosen.value, "url": rt.settings.url.value, "source": chosen.source}
    rt.out.show({**row, "url": None} if rt.settings.is_local else row, CURRENT)


@app.command("show")
def show_profile(
    ctx: Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Use this profile, instead of --profile.")
    ] = None,
) -> None:
    """
    Show every setting as it resolves here and now, and which layer won.

    Examples:
      spectronctl profiles show
      spectronctl profiles show prod -o json
    """
    rt = ctx.runtime
    if name:
        # Before the settings are read for the first time: they are resolved once, and the argument takes the place of
        # the flag.
        rt.flags["profile"] = name
    rt.out.check(VALUES)
    rows = [
        {"setting": name, "value": setting.shown, "source": setting.source}
        for name, setting in rt.settings.each()
    ]
    rows.append(_describe_key(rt, "management_key", rt.settings.management_credential))
    if context := rt.settings.context.value:
        find = partial(rt.settings.data_plane_credential, context)
        rows.append(_describe_key(rt, "context_key", find))
    rt.out.rows(rows, VALUES)


def _describe_key(rt: Runtime, name: str, find: Callable[[], Credential | None]) -> dict[str, Any]:
    """The key's digest; one that cannot be used is told why, since here is where one looks."""
    source = None
    try:
        credential = find()
        source = credential and credential.source
        value = credential and digest(rt.inputs.read_credential(credential))
    # Not raised: what is wrong with one key must not hide the other settings, for which this command is run.
    except (AuthError, ConfigError) as exc:
        value = f"unusable: {exc.message}"
    return {"setting": name, "value": value, "source": source or "default"}


@app.command("add")
def add_profile(
    ctx: Context,
    name: NameArgument,
    api_key_env: Annotated[
        str | None,
        typer.Option("--api-key-env", metavar="VAR", help="Read the key from this variable."),
    ] = None,
    api_key_command: Annotated[
        str | None,
        typer.Option(
            "--api-key-command", metavar="CMD", help="Run this program, which prints the key."
        ),
    ] = None,
    auth_header: Annotated[
        str | None,
        typer.Option(
            "--auth-header", metavar="both|bearer|api-key", help="Send the key in this header."
        ),
    ] = None,
    ca_file: Annotated[
        str | None,
        typer.Option("--ca-file", metavar="PATH", help="Trust the certificates in this file, too."),
    ] = None,
    proxy: Annotated[
        str | None, typer.Option("--proxy", metavar="URL", help="Connect through this proxy.")
    ] = None,
    protected: Annotated[
        bool, typer.Option("--protected", help="Ask for a typed name before anything is deleted.")
    ] = False,
    use: Annotated[bool, typer.Option("--use", help="Make it the default profile.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Check the key first, and add nothing if it fails.")
    ] = False,
) -> None:
    """
    Add a profile: a server, where its key is, and defaults.

    --url, --context, --api-key-file, --timeout and --retries are kept in it.

    --api-key-file PATH keeps the path, not the key; --api-key-file - keeps the key that stdin carries, in the config
    file, which is yours alone.

    Examples:
      spectronctl profiles add dr --url https://dr.example.com --api-key-file dr.key
      spectronctl profiles add dev --url http://127.0.0.1:9090 --api-key-env DEV_KEY
    """
    rt = ctx.runtime
    rt.may_lack_config = True
    rt.out.check(PROFILES)
    own = {
        "api_key_env": api_key_env,
        "api_key_command": api_key_command,
        "auth_header": auth_header,
        "ca_file": ca_file,
        "proxy": proxy,
        "protected": "true" if protected else None,
    }
    fields = {**_kept_flags(rt), **{field: text for field, text in own.items() if text is not None}}
    if "url" not in fields:
        raise UsageError(
            "a profile needs a server", hint=f"spectronctl profiles add {name} --url URL"
        )
    keys = [field for field in fields if field.startswith("api_key")]
    if len(keys) > 1:
        raise UsageError(f"{' and '.join(keys)} are both given; keep one of them")
    if check:
        # Before the file is touched: a profile whose key is refused leaves no trace.
        _try_key(rt, editing.preview_profile(_path(rt), name, fields), name)
    config = editing.add_profile(_path(rt), name, fields, use=use)
    _show(rt, config, name, f"Added profile {name} to {_path(rt)}.")


def _try_key(rt: Runtime, config: profiles.Config, name: str) -> None:
    """Send a read with the new profile alone: what is in the environment must not stand in for its key."""
    from spectronctl.api import contexts, identity
    from spectronctl.config.resolve import resolve

    # HOME alone is kept, for a ~ in `ca_file`.
    rt.settings = resolve({"profile": name}, {"HOME": rt.env.get("HOME", "")}, config)
    if context := rt.settings.context.value:
        rt.clients.of_context(context).send(identity.get_identity(context))
    else:
        # The cheapest read that a management key is for; without a context nothing can be said of a context's key.
        rt.client.send(contexts.list_contexts(limit=1))


def _kept_flags(rt: Runtime) -> dict[str, str]:
    kept = {field: str(rt.flags[field]) for field in KEPT_FLAGS if rt.flags.get(field) is not None}
    if kept.get("api_key_file") == "-":
        # A file is read at every run; stdin only now, so the key itself has to be kept.
        del kept["api_key_file"]
        kept["api_key"] = rt.inputs.read_credential(Credential("stdin", "--api-key-file -"))
    return kept


@app.command("use")
def use_profile(ctx: Context, name: NameArgument) -> None:
    """
    Make a profile the default one.

    Examples:
      spectronctl profiles use prod
    """
    rt = ctx.runtime
    rt.out.check(PROFILES)
    config = editing.use_profile(_path(rt), name)
    _show(rt, config, name, f"Profile {name} is the default now.")


@app.command("set")
def set_value(
    ctx: Context,
    name: NameArgument,
    field: FieldArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE|-", help="Set this value; - reads stdin.")],
) -> None:
    """
    Set one field of a profile.

    context_keys.CONTEXT.api_key_file keeps a context's own key.

    Examples:
      spectronctl profiles set prod timeout 20s
      spectronctl profiles set prod context acme-prod
    """
    rt = ctx.runtime
    rt.out.check(PROFILES)
    # Also context_keys.CONTEXT.api_key. The message does not repeat the value.
    if field.rpartition(".")[2] == "api_key" and value != "-":
        raise UsageError(
            "a key on the command line would be visible to others",
            hint=f"Pipe it: spectronctl profiles set {name} {field} - < FILE",
        )
    text = rt.inputs.read_stdin("VALUE").strip() if value == "-" else value
    config = editing.set_value(_path(rt), name, field, text)
    _show(rt, config, name, f"Set {field} of profile {name}.")


@app.command("unset")
def unset_value(ctx: Context, name: NameArgument, field: FieldArgument) -> None:
    """
    Clear one field of a profile.

    Examples:
      spectronctl profiles unset prod timeout
    """
    rt = ctx.runtime
    rt.out.check(PROFILES)
    config = editing.unset_value(_path(rt), name, field)
    _show(rt, config, name, f"Cleared {field} of profile {name}.")


@app.command("rename")
def rename_profile(
    ctx: Context,
    name: NameArgument,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Give the profile this name.")],
) -> None:
    """
    Give a profile another name; the default profile stays the default.

    Examples:
      spectronctl profiles rename prod production
    """
    rt = ctx.runtime
    rt.out.check(PROFILES)
    config = editing.rename_profile(_path(rt), name, new)
    _show(rt, config, new, f"Renamed profile {name} to {new}.")


@app.command("remove")
def remove_profile(ctx: Context, name: NameArgument) -> None:
    """
    Remove a profile; its server does not change.

    Examples:
      spectronctl profiles remove prod
    """
    rt = ctx.runtime
    rt.out.check(PROFILES)
    editing.remove_profile(_path(rt), name)
    rt.out.done({"name": name, "removed": True}, PROFILES, f"Removed profile {name}.")


@app.command("path")
def show_path(ctx: Context) -> None:
    """
    Print where the config file is, whether it exists or not.

    Examples:
      spectronctl profiles path
    """
    rt = ctx.runtime
    rt.may_lack_config = True
    rt.out.check(PATH)
    rt.out.show({"path": str(_path(rt))}, PATH)


def _path(rt: Runtime) -> Any:
    return config_path(rt.env)


def _show(rt: Runtime, config: profiles.Config, name: str, note: str) -> None:
    rt.out.done(_describe(profiles.find_profile(config, name), config.profile), PROFILES, note)
