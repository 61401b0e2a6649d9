"""What a command may reach for. Everything is made on first use."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from spectronctl.errors import AuthError, SpectronctlError, UsageError
from spectronctl.output.streams import Streams

if TYPE_CHECKING:
    import httpx

    from spectronctl.api.pages import Page
    from spectronctl.api.requests import Request
    from spectronctl.cli.commands._options import SecretOptions
    from spectronctl.client import Client
    from spectronctl.config.credentials import Credential
    from spectronctl.config.profiles import Config
    from spectronctl.config.resolve import Settings
    from spectronctl.models._base import Model
    from spectronctl.models.keys import MintedKey
    from spectronctl.output import Output
    from spectronctl.output.sinks import SinkGroup
    from spectronctl.output.views import View

    M = TypeVar("M", bound=Model)
    T = TypeVar("T")

NO_KEY_HINT = (
    "Give one with --api-key-file PATH, SPECTRON_MANAGEMENT_API_KEY, or a profile"
    " ('spectronctl profiles add --help'). --profile local needs none."
)


class Runtime:
    """
    One run of one command line: the environment, the streams, and what is made from them.

    `transport` replaces the network in tests. A command that waits for jobs sets `works_on_jobs` before it asks for a
    client: under `--profile local` nobody else works on them.
    """

    works_on_jobs = False

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
        self._transport = transport
        self._stdin_reader: str | None = None
        self._secrets: dict[Credential, str] = {}
        self._clients: dict[Credential | None, Client] = {}
        self._connecting = Lock()
        self._close: list[Callable[[], None]] = []

    def __enter__(self) -> Runtime:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._close:
            self._close.pop()()

    @cached_property
    def config(self) -> Config:
        """The config file as it is now."""
        from spectronctl.config.profiles import read_config
        from spectronctl.local.locations import config_path

        return read_config(config_path(self.env))

    @cached_property
    def settings(self) -> Settings:
        """Every setting and where its value came from."""
        from spectronctl.config.resolve import resolve

        return resolve(self.flags, self.env, self.config)

    @cached_property
    def out(self) -> Output:
        """Where the answer goes."""
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
        for note in given.notes:
            out.note(note)
        return out

    def finish(self) -> None:
        """The command has succeeded: say what was held back for that."""
        if "out" in self.__dict__:  # `--help` has no answer, and reads no config
            self.out.finish()

    @property
    def place(self) -> str:
        """The server, as a question names it."""
        return "the local store" if self.settings.is_local else self.settings.url.value

    @property
    def has_network(self) -> bool:
        """Whether the server is somewhere else than in this process."""
        return self._transport is None and not self.settings.is_local

    @property
    def context(self) -> str:
        """The context that the command is about."""
        if context := self.settings.context.value:
            return str(context)
        raise UsageError(
            "no context chosen",
            hint="Pass -c CONTEXT, set SPECTRON_CONTEXT_ID, or give the profile a context.",
        )

    @cached_property
    def client(self) -> Client:
        """The management plane."""
        credential = self.settings.management_credential()
        if credential is None and not self.settings.is_local:
            raise AuthError("no management key to send", hint=NO_KEY_HINT)
        return self._make_client(credential)

    def make_context_client(self, context_id: str, credential: Credential | None = None) -> Client:
        """The data plane of one context: with that key, or else its own where there is one (cli.md)."""
        credential = credential or self.settings.data_plane_credential(context_id)
        if credential is None and not self.settings.is_local:
            raise AuthError(f"no key for context {context_id} to send", hint=NO_KEY_HINT)
        return self._make_client(credential)

    def _make_client(self, credential: Credential | None) -> Client:
        """The client that signs with this key, made once; threads may ask at once."""
        with self._connecting:
            if credential not in self._clients:
                self._clients[credential] = self._connect(credential)
            return self._clients[credential]

    def _connect(self, credential: Credential | None) -> Client:
        from spectronctl.client import Client

        given = self.settings
        self._warn_of_visible_key(credential)
        key = self.read_credential(credential) if credential else None
        self._log_resolution(key, credential)
        client = Client(
            given.url.value,
            api_key=key,
            auth_header=given.auth_header.value,
            timeout=given.timeout.value,
            retries=given.retries.value,
            ca_file=given.ca_file.value,
            proxy=given.proxy.value,
            transport=self._transport or self._local_transport(),
            observe=self._log_exchange if given.debug.value else None,
        )
        self._close.append(client.close)
        return client

    def _local_transport(self) -> httpx.BaseTransport | None:
        if not self.settings.is_local:
            return None
        from spectronctl.cli.embedded import make_transport

        self._transport = make_transport(
            self.env, timeout=self.settings.timeout.value, works_on_jobs=self.works_on_jobs
        )
        return self._transport

    @cached_property
    def public_client(self) -> Client:
        """For calls that need no key."""
        return self._make_client(None)

    def list_items(
        self,
        request: Request[Page[M]],
        keep: Callable[[M], bool] | None = None,
        *,
        client: Client | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Every item over all pages, or every one that is to be kept; as many as `--limit` allows."""
        if keep is not None:
            yield from self._list_kept(request, keep)
            return
        limit = self.settings.limit.value
        pages = (client or self.client).pages(request, limit=limit)
        yield from (item.to_dict() for item in self.walk_pages(pages))

    def walk_pages(self, pages: Iterable[Page[T]]) -> Iterator[T]:
        """Every item of pages that `--limit` bounds, and a word about it where it ended them."""
        has_more = False
        for page in pages:
            has_more = page.has_more
            yield from page.items
        if has_more:
            self._note_limit("are")

    def _list_kept(
        self, request: Request[Page[M]], keep: Callable[[M], bool]
    ) -> Iterator[dict[str, Any]]:
        limit, count = self.settings.limit.value, 0
        for page in self.client.pages(request):
            for item in filter(keep, page.items):
                if count == limit:
                    self._note_limit("are")
                    return
                count += 1
                yield item.to_dict()
            if count == limit:  # enough: what later pages hold is not asked
                if page.has_more:
                    self._note_limit("may be")
                return

    def limit_rows(self, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """As many of these as `--limit` allows."""
        limit = self.settings.limit.value
        if limit is not None and len(rows) > limit:
            self._note_limit("are")
        return rows[:limit]

    def _note_limit(self, verb: str) -> None:
        self.out.note(f"There {verb} more: --limit {self.settings.limit.value} ended the list.")

    def read_credential(self, credential: Credential) -> str:
        """The secret that a credential stands for, read once."""
        if credential not in self._secrets:
            self._secrets[credential] = credential.read(self.env, self.read_stdin)
        return self._secrets[credential]

    @property
    def management_key(self) -> str | None:
        """The key that `client` signs with."""
        credential = self.settings.management_credential()
        return self.read_credential(credential) if credential else None

    def read_stdin(self, option: str) -> str:
        """All of stdin, which only one option of a command line can have."""
        self._claim_stdin(option)
        return self.streams.stdin.read()

    def open_stdin(self, option: str) -> BinaryIO:
        """Stdin as bytes, which only one option of a command line can have."""
        self._claim_stdin(option)
        return self.streams.stdin.buffer

    def _claim_stdin(self, option: str) -> None:
        if self._stdin_reader:
            raise UsageError(f"{option} and {self._stdin_reader} cannot both read stdin")
        self._stdin_reader = option

    def check_confirmable(self, question: str, *, name: str, confirmed: str | None) -> None:
        """Before anything is sent: refuse what `confirm` would refuse for want of somebody to ask."""
        from spectronctl.output.prompts import check_answerer, check_name

        given = self.settings
        no_input = given.no_input.value
        if given.protected.value or confirmed is not None:
            check_name(self.streams, name, given=confirmed, no_input=no_input)
        else:
            check_answerer(self.streams, question, yes=given.yes.value, no_input=no_input)

    def confirm(self, question: str, *, name: str, confirmed: str | None, declined: str) -> None:
        """Ask before something is destroyed; a protected profile wants the context's name typed."""
        from spectronctl.output.prompts import confirm, confirm_by_name

        given = self.settings
        if given.protected.value or confirmed is not None:
            confirm_by_name(
                self.streams,
                name,
                question=question,
                given=confirmed,
                no_input=given.no_input.value,
                declined=declined,
            )
        else:
            confirm(
                self.streams,
                question,
                yes=given.yes.value,
                no_input=given.no_input.value,
                declined=declined,
            )

    @contextmanager
    def reserve_secret(
        self,
        options: SecretOptions | None,
        *,
        context: str | None = None,
        name: str | None = None,
    ) -> Iterator[SinkGroup]:
        """
        Make sure, before anything is asked of the server, that a secret can be delivered.

        `context` and `name` of its key may stand in the places as placeholders, and commands are told.
        """
        from spectronctl.output.sinks import SinkGroup, check_secret_output

        places = options.read_places(self.env) if options else ()
        if options:
            check_secret_output(self.streams, reveal=options.reveal, has_file=bool(places))
        known = {"context": context, "name": name}
        with SinkGroup(
            [place.fill(**known) for place in places],
            replace=options is not None and options.force,
            reveal=options is not None and options.reveal,
            env=self.env,
            labels={label: text for label, text in known.items() if text is not None},
        ) as sinks:
            yield sinks

    def deliver_secret(self, minted: MintedKey, sinks: SinkGroup, view: View, note: str) -> None:
        """Hand a minted secret to its places, and to stdout where it is to be shown."""
        try:
            sinks.commit(minted.secret, id=minted.id)
            if sinks.is_shown:
                self.out.secret(minted.to_dict(), view)
        except SpectronctlError as exc:
            self._explain_undelivered(exc, minted, sinks)
            raise
        self.out.note(f"{note} Its secret is in {sinks.describe()}." if sinks.stored else note)
        if not sinks.is_shown:
            self.out.show(minted.without_secret().to_dict(), view)

    def _explain_undelivered(
        self, error: SpectronctlError, minted: MintedKey, sinks: SinkGroup
    ) -> None:
        if sinks.kept and not sinks.stored:
            return
        where = (
            f"its secret is only in {sinks.describe()}"
            if sinks.stored
            else "nobody holds its secret"
        )
        made = (
            f"The key {minted.name} ({minted.id}) was made, and {where}:"
            " rotate it for a fresh one, or delete it."
        )
        error.hint = f"{error.hint} {made}" if error.hint else made
        error.command = f"spectronctl keys rotate {minted.id} -c {self.context}"

    def remember_context(self, context_id: str) -> None:
        """Keep a context's id for shell completion."""
        from spectronctl.local import seen

        seen.remember(self.env, self.settings.url.value, [context_id])

    def remember_contexts(self, items: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Pass a list of contexts on, keeping their ids for shell completion."""
        from spectronctl.local import seen

        ids = []
        for item in items:
            ids.append(str(item["id"]))
            yield item
        is_whole = self.settings.limit.value is None
        seen.remember(self.env, self.settings.url.value, ids, replace=is_whole)

    def forget_context(self, context_id: str) -> None:
        """A context is gone: completion offers it no longer."""
        from spectronctl.local import seen

        seen.forget(self.env, self.settings.url.value, context_id)

    def _warn_of_visible_key(self, credential: Credential | None) -> None:
        if credential and credential.is_visible and not self.streams.in_ci:
            self.out.note(
                "a key given as --api-key can be seen in `ps` and in the shell's history;"
                " --api-key-file, SPECTRON_MANAGEMENT_API_KEY or a profile keep it private"
            )

    def _log(self, line: str) -> None:
        self.streams.write_message(f"debug: {line}\n")

    def _log_resolution(self, key: str | None, credential: Credential | None) -> None:
        if not self.settings.debug.value:
            return
        from spectronctl.config.credentials import digest

        url = self.settings.url
        self._log(f"url {url.value} from {url.source}")
        if key and credential:
            self._log(f"key {digest(key)} from {credential.source}")

    def _log_exchange(self, exchange: Any) -> None:
        outcome = exchange.status or exchange.error
        self._log(
            f"{exchange.method} {exchange.path} {outcome} {exchange.seconds * 1000:.0f} ms"
            f" attempt {exchange.attempt} request {exchange.request_id}"
        )
