"""One run of one command line: what it was given, and what is made of that on first use."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spectronctl.cli.inputs import Inputs
from spectronctl.errors import UsageError
from spectronctl.output.streams import Streams

if TYPE_CHECKING:
    from spectronctl.config.profiles import Config
    from spectronctl.config.resolve import Settings
    from spectronctl.output import Output


class Run:
    """The environment, the streams and the flags, and the settings and the output made from them."""

    format_help: Callable[[Any, int], str]
    """
    Lays out the help of a context's command in so many columns.

    `app` sets it: help reads the tree, and every command of the tree is handed a run.
    """

    def __init__(
        self, *, env: Mapping[str, str] = os.environ, streams: Streams | None = None
    ) -> None:
        # Not a copy: `hide` takes os.environ itself for the sign that the process's own variables are meant.
        self.env = env
        self.streams = streams or Streams(sys.stdin, sys.stdout, sys.stderr, env)
        self.args: list[str] = []
        self.flags: dict[str, Any] = {}
        self.inputs = Inputs(env, self.streams)

    @cached_property
    def config(self) -> Config:
        """The config file as it is now."""
        from spectronctl.config.loading import load_config
        from spectronctl.local.locations import find_config_path

        return load_config(find_config_path(self.env))

    @cached_property
    def settings(self) -> Settings:
        """Every setting and where its value came from."""
        from spectronctl.config.resolve import resolve

        return resolve(self.flags, self.env, self.config)

    @cached_property
    def out(self) -> Output:
        """Where the result goes."""
        from spectronctl.config.own_variables import warn_of_variables
        from spectronctl.output import Output

        given = self.settings
        out = Output(
            given.output.value,
            self.streams,
            query=given.query.value,
            columns=given.columns.value,
            sort=given.sort.value,
            limit=given.limit.value,
            no_header=given.no_header.value,
            quiet=given.quiet.value,
            color=given.color.value,
        )
        # Said where the output is made, so once in a run, and by no `--help` or `--version`.
        if warning := self.config.warning:
            out.warn(warning)
        for warning in warn_of_variables(self.env):
            out.warn(warning)
        for note in given.notes:
            out.note(note)
        return out

    def finish(self) -> None:
        """The command has succeeded: say what was held back for that."""
        if "out" in self.__dict__:  # `--help` has no result, and reads no config
            self.out.finish()
        else:
            self.streams.flush_output()

    def hide(self, names: Collection[str]) -> dict[str, str]:
        """The environment for a program that must find these variables neither there nor in ours."""
        from spectronctl.config.variables import hide_variables
        from spectronctl.ground.concealment import conceal

        # The variables alone are not enough: /proc/PID/cmdline shows the argument to the program that is started.
        if self.env is os.environ and "api_key" in self.flags:
            conceal((), self.flags["api_key"])
        return hide_variables(self.env, names)

    @property
    def keyless_env(self) -> dict[str, str]:
        """The environment for a program that needs no key of ours."""
        return self.hide(self.settings.key_variables)

    @property
    def place(self) -> str:
        """The server, as a question names it: with the profile that leads there, if one does."""
        if self.settings.is_local:
            return "the local store"
        url, profile = self.settings.url, self.settings.profile.value
        is_of_profile = url.source == f"profile {profile}"
        return f"{url.value} (profile {profile})" if is_of_profile else url.value

    @property
    def context(self) -> str:
        """The context that the command is about."""
        if context := self.settings.context.value:
            return str(context)
        raise UsageError(
            "no context chosen",
            hint="Pass -c CONTEXT, set SPECTRON_CONTEXT_ID, or give the profile a context.",
        )
