"""What a command may reach for. Everything is made on first use."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

from spectronctl.cli.clients import Clients
from spectronctl.cli.inputs import Inputs
from spectronctl.errors import UsageError
from spectronctl.output.streams import Streams

if TYPE_CHECKING:
    import httpx

    from spectronctl.cli._typer import Context
    from spectronctl.client import Client
    from spectronctl.config.profiles import Config
    from spectronctl.config.resolve import Settings
    from spectronctl.output import Output


class Runtime:
    """
    One run of one command line: the environment, the streams, and what is made from them.

    `transport` replaces the network in tests.
    """

    def __init__(
        self,
        *,
        env: Mapping[str, str] = os.environ,
        streams: Streams | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.env = env
        self.streams = streams or Streams(sys.stdin, sys.stdout, sys.stderr, env)
        self.args: list[str] = []
        self.flags: dict[str, Any] = {}
        self.inputs = Inputs(env, self.streams)
        self.clients = Clients(self, transport)

    def __enter__(self) -> Runtime:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clients.close()

    @cached_property
    def config(self) -> Config:
        """The config file as it is now."""
        from spectronctl.config.loading import load_config
        from spectronctl.local.locations import config_path

        return load_config(config_path(self.env))

    @cached_property
    def settings(self) -> Settings:
        """Every setting and where its value came from."""
        from spectronctl.config.resolve import resolve

        return resolve(self.flags, self.env, self.config)

    @cached_property
    def out(self) -> Output:
        """Where the result goes."""
        from spectronctl.output import Output

        given = self.settings
        out = Output(
            given.output.value,
            self.streams,
            query=given.query.value,
            columns=given.columns.value,
            sort=given.sort.value,
            no_header=given.no_header.value,
            quiet=given.quiet.value,
            color=given.color.value,
        )
        if warning := self.config.warning:
            out.warn(warning)
        for note in given.notes:
            out.note(note)
        return out

    def format_help(self, ctx: Context) -> str:
        """The page of help of a command, for the terminal that this run has."""
        from spectronctl.cli._help import format_help

        return format_help(ctx, self.streams.width)

    def finish(self) -> None:
        """The command has succeeded: say what was held back for that."""
        if "out" in self.__dict__:  # `--help` has no result, and reads no config
            self.out.finish()

    @property
    def place(self) -> str:
        """The server, as a question names it."""
        return "the local store" if self.settings.is_local else self.settings.url.value

    @property
    def context(self) -> str:
        """The context that the command is about."""
        if context := self.settings.context.value:
            return str(context)
        raise UsageError(
            "no context chosen",
            hint="Pass -c CONTEXT, set SPECTRON_CONTEXT_ID, or give the profile a context.",
        )

    @property
    def client(self) -> Client:
        """The management plane."""
        return self.clients.management
