"""Texts into vectors, by the embedder that a context's config chooses."""

from spectronctl.server.memory.embedding._choice import (
    DEFAULT_MODEL,
    LOCAL,
    LOCAL_MODELS,
    LOCAL_RULE,
    MODEL,
    URL_RULE,
    make_embedder,
    read_base_url,
    read_model,
    read_provider,
)
from spectronctl.server.memory.embedding._embedder import (
    Embedder,
    EmbeddingError,
    UnusableEmbedderError,
    Vector,
)
from spectronctl.server.memory.embedding._hashing import HashingEmbedder

__all__ = [
    "DEFAULT_MODEL",
    "Embedder",
    "EmbeddingError",
    "HashingEmbedder",
    "LOCAL",
    "LOCAL_MODELS",
    "LOCAL_RULE",
    "MODEL",
    "URL_RULE",
    "UnusableEmbedderError",
    "Vector",
    "make_embedder",
    "read_base_url",
    "read_model",
    "read_provider",
]
