"""Texts into vectors, by the embedder that a context's config chooses."""

from spectronctl.server.embedding._embedder import (
    Embedder,
    EmbeddingError,
    UnusableEmbedderError,
    Vector,
)
from spectronctl.server.embedding._hashing import HashingEmbedder

__all__ = ["Embedder", "EmbeddingError", "HashingEmbedder", "UnusableEmbedderError", "Vector"]
