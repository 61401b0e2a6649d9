"""The options that describe a context's configuration, and the config (or patch) that they amount to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from spectronctl.cli.commands._documents import load_json_document, name_file
from spectronctl.cli.commands._values import nest, parse_value, split_path
from spectronctl.cli.runtime import Runtime
from spectronctl.config.credentials import parse_source
from spectronctl.errors import UsageError
from spectronctl.models.contexts import STAGES, find_misspelled, overlay


def _stage_option(stage: str, note: str = "") -> Any:
    flag = "--model-" + stage.replace("_", "-")
    return typer.Option(flag, metavar="PROVIDER/MODEL", help=f"Use this model for {stage}{note}.")


Stage = str | None
ProviderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--provider",
        metavar="NAME=env:VAR|file:PATH|-",
        help="Read a provider's key from a variable, a file or stdin.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class ConfigOptions:
    """Everything that may be said of a context's config; what is not said stays as it is."""

    model_extraction: Annotated[Stage, _stage_option("extraction")] = None
    model_response: Annotated[Stage, _stage_option("response")] = None
    model_reflection: Annotated[Stage, _stage_option("reflection")] = None
    model_reconciliation: Annotated[Stage, _stage_option("reconciliation")] = None
    model_synthesis: Annotated[Stage, _stage_option("synthesis")] = None
    model_elaboration_consolidation: Annotated[
        Stage, _stage_option("elaboration_consolidation")
    ] = None
    model_embedding: Annotated[
        Stage, _stage_option("embedding", "; local/hashing compares words, not what they mean")
    ] = None
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="STAGE=PROVIDER/MODEL", help="Use this model for a stage."),
    ] = None
    provider: ProviderOption = None
    token_limit: Annotated[
        int | None,
        typer.Option("--token-limit", min=1, metavar="N", help="Allow this number of tokens."),
    ] = None
    retention_days: Annotated[
        int | None,
        typer.Option(
            "--retention-days", min=1, metavar="N", help="Keep memories for this number of days."
        ),
    ] = None
    set: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=VALUE", help="Set any field; VALUE is JSON or text."),
    ] = None
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="FILE|-", help="Start from this JSON, TOML or YAML file."),
    ] = None

    def read(self, rt: Runtime) -> dict[str, Any]:
        """
        The config as the server takes it: the file first, then `--set`, then the options of their own.

        UsageError for what does not fit; ConfigError for a provider key that cannot be read.
        """
        config = _load_config(self.config, rt) if self.config else {}
        config.pop("providers_configured", None)  # a response's field: `get` then `--config` works
        # Each over what came before, and the options last: the most explicit has the last word.
        for path, value in map(_parse_assignment, self.set or ()):
            config = overlay(config, nest(path, value))
        return overlay(config, self._named_fields(rt))

    def _named_fields(self, rt: Runtime) -> dict[str, Any]:
        models = {stage: getattr(self, f"model_{stage}") for stage in STAGES}
        models |= dict(
            _parse_pair(text, "--model", "STAGE=PROVIDER/MODEL") for text in self.model or ()
        )
        for stage, model in models.items():
            _check_model(stage, model)
        fields = {
            "token_limit": self.token_limit,
            "retention_days": self.retention_days,
            "models": {stage: model for stage, model in models.items() if model},
            "providers": parse_providers(self.provider, rt),
        }
        # Empty means not typed: no number can be 0 here (`min=1`), and no list of pairs makes an empty table.
        return {name: value for name, value in fields.items() if value}


def warn_of_misspellings(rt: Runtime, config: dict[str, Any]) -> None:
    """A server keeps every field; one that only looks like a documented one does nothing."""
    for written, near in find_misspelled(config):
        rt.out.warn(f"{written} is no documented field: did you mean {near}? It is sent as it is.")


def parse_path(text: str, option: str) -> tuple[str, ...]:
    """`a.b` as its names."""
    names, value = split_path(text.removeprefix("config."), option)
    if value is not None:
        raise UsageError(f"{option} takes the path of a field, and no value")
    return names


def _parse_assignment(text: str) -> tuple[tuple[str, ...], Any]:
    # The path as a query has it, `config.token_limit`, is understood as well.
    names, value = split_path(text.removeprefix("config."), "--set")
    if value is None:
        raise UsageError(f"--set {text!r}: a value is missing", hint="Write --set a.b=VALUE.")
    if names[0] == "providers":
        raise UsageError(
            "--set cannot carry a provider's key: it would be visible to others",
            hint="Use --provider NAME=env:VAR, NAME=file:PATH or NAME=-.",
        )
    return names, parse_value(value, f"--set {'.'.join(names)}")


def _parse_pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise UsageError(f"{option}: a value of the form {form} is needed")
    return name, value


def _check_model(stage: str, model: str | None) -> None:
    if model is None:
        return
    provider, slash, name = model.partition("/")
    if not (provider and slash and name):
        raise UsageError(
            f"model for {stage}: {model!r} is not of the form PROVIDER/MODEL",
            hint="For instance openai/gpt-4o-mini.",
        )


def parse_providers(given: list[str] | None, rt: Runtime) -> dict[str, str]:
    """The keys that `--provider` names; UsageError, ConfigError."""
    return dict(_parse_provider(text, rt) for text in given or ())


def _parse_provider(text: str, rt: Runtime) -> tuple[str, str]:
    name, source = _parse_pair(text, "--provider", "NAME=env:VAR, NAME=file:PATH or NAME=-")
    # None is what has none of the forms: the key itself, most likely, so no message repeats it.
    credential = parse_source(source, f"--provider {name}")
    if credential is None:
        raise UsageError(
            f"--provider {name}: the key itself would be visible to others, so it is refused",
            hint=f"Use {name}=env:VAR, {name}=file:PATH, {name}=env-file:PATH:VAR or {name}=- (stdin).",
        )
    return name, rt.inputs.read_credential(credential)


def _load_config(path: str, rt: Runtime) -> dict[str, Any]:
    config = load_json_document(rt, path, "--config")
    if not isinstance(config, dict):
        name = name_file(path)
        raise UsageError(f"--config {name}: an object is needed, with fields such as token_limit")
    return config
