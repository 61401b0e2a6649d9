"""The embedders of all contexts, kept open: what each config chooses, with its provider's secret."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Self, cast

from fastapi import Depends, Request

from spectronctl.ground.text import clean
from spectronctl.server.access.scopes import Region, Scopes
from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import DatabaseError
from spectronctl.server.database.sealing import SealedError
from spectronctl.server.index.rows import ChunkRow, SearchIndex, StoredChunk
from spectronctl.server.index.table import SearchTable
from spectronctl.server.providers.choice import choose_model, choose_provider, make_embedder
from spectronctl.server.providers.embedder import Embedder, Vector
from spectronctl.server.providers.errors import (
    BlockedModelsError,
    ProviderError,
    UnusableProviderError,
)
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.rows import ContextRow

_log = logging.getLogger(__name__)
_SECONDS = 10
"""How long a request waits for a provider: a job has more patience."""


class Embedders:
    """
    One embedder per model, endpoint and secret, for as long as this is open.

    Unless `allow_private_providers`, only providers at public addresses are asked.
    """

    def __init__(self, database: Database, *, allow_private_providers: bool = True) -> None:
        self._database = database
        self._allow_private = allow_private_providers
        self._open: dict[tuple[str, str, str | None], Embedder] = {}

    async def find(self, context: ContextRow, model: str | None = None) -> Embedder:
        """The one that the context's config chooses, or another; UnusableProviderError when it cannot be tried."""
        config = context.config if model is None else _choose(context.config, model)
        provider = choose_provider(config)
        secret = None
        if provider is not None:
            secret = await self._find_secret(context, provider)
        # By the secret too: a key that was replaced must not live on in a client that is kept open.
        key = (choose_model(config), str(config.get("provider_urls")), secret)
        if key not in self._open:
            self._open[key] = make_embedder(
                config, secret, context_id=context.id, allow_private=self._allow_private
            )
        return self._open[key]

    async def _find_secret(self, context: ContextRow, provider: str) -> str | None:
        try:
            return await ContextTable(self._database).find_secret(context.id, provider)
        except SealedError as error:  # by another server of the store, under a newer key
            raise UnusableProviderError(
                f"config.providers.{clean(provider)}: its secret is {error}, which this server does not have"
            ) from None

    async def embed_chunk(self, context: ContextRow, chunk: ChunkRow) -> ChunkRow:
        """
        The memory with a vector of the kind that recall looks through.

        Without one where that cannot be had in time: it is kept all the same, and found by its words.
        """
        return await self._embed_for(
            context, chunk, await SearchTable(self._database).load_index(context)
        )

    async def settle_chunk(self, context: ContextRow, chunk: ChunkRow, scopes: Scopes) -> None:
        """
        Give a memory, once it is kept, its place where recall looks by now.

        It has none, or no vector there, when a reindex ended between `embed_chunk` and the end of the write. That
        write is done, so that nothing raises here.
        """
        table = SearchTable(self._database)
        try:
            while (index := await table.load_index(context)).slot != chunk.slot:
                chunk = await self._embed_for(context, chunk, index)
                kept = StoredChunk(id=chunk.id, text=chunk.text, scopes=scopes)
                await table.index_chunks(context, index, [kept], [chunk.vector])
        except DatabaseError as error:
            _log.warning("context %s: %s may not be found: %s", context.id, chunk.id, error.detail)

    async def _embed_for(
        self, context: ContextRow, chunk: ChunkRow, index: SearchIndex
    ) -> ChunkRow:
        chunk = replace(chunk, slot=index.slot)
        if chunk.embedder == index.embedder and len(chunk.vector or ()) == index.dimension:
            return chunk
        try:
            embedder = await self.find(context, index.embedder)
            _refuse_blocked(context, embedder)
            vector = await _embed(embedder, chunk.text)
        # What was said is worth more than its vector: words find it until the next reindex.
        except ProviderError as error:
            _log.warning("context %s: a memory is kept without a vector: %s", context.id, error)
            return replace(chunk, embedder=None, vector=None)
        return replace(chunk, embedder=index.embedder, vector=vector)

    async def embed_query(
        self, context: ContextRow, region: Region, index: SearchIndex, text: str
    ) -> Vector:
        """The query's vector, asked of a provider once a day for callers of a region; ProviderError."""
        embedder = await self.find(context, index.embedder)
        if embedder.is_local:
            return await _embed(embedder, text)
        # Of the region: a cache that all callers share would tell by its speed what others asked.
        known = await SearchTable(self._database).find_cached_vector(
            context, region, index.embedder, text
        )
        if known is not None and len(known) == index.dimension:
            return known
        _refuse_blocked(context, embedder)
        vector = await _embed(embedder, text)
        if len(vector) != index.dimension:
            raise ProviderError(
                f"{index.embedder}: its vectors have {len(vector)} numbers, and those of the index {index.dimension}"
            )
        await SearchTable(self._database).cache_vector(
            context, region, index.embedder, text, vector
        )
        return vector

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Let go of all connections."""
        while self._open:
            await self._open.popitem()[1].close()


def _refuse_blocked(context: ContextRow, embedder: Embedder) -> None:
    # Of any caller's, and not of jobs: a reindex is the operator's own wish.
    if context.enforcement_blocked and not embedder.is_local:
        raise BlockedModelsError(f"{embedder.name} was not asked: enforcement_blocked is set")


async def _embed(embedder: Embedder, text: str) -> Vector:
    try:
        async with asyncio.timeout(_SECONDS):
            (vector,) = await embedder.embed([text])
    except TimeoutError:
        raise ProviderError(f"{embedder.name}: no response within {_SECONDS} s") from None
    return vector


def _choose(config: Mapping[str, Any], model: str) -> dict[str, Any]:
    return {**config, "models": {**(config.get("models") or {}), "embedding": model}}


async def get_embedders(request: Request) -> Embedders:
    """The application's embedders."""
    return cast("Embedders", request.app.state.embedders)


CurrentEmbedders = Annotated[Embedders, Depends(get_embedders)]
