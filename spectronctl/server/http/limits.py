"""
How much one request may hold, and how much one response or query is built from.

What a request repeats in many rows, or what a page repeats many times, is bounded here: without a bound, a small
request costs the server a thousand times its size. A value that is beyond its bound is a 400 that names both.
"""

from __future__ import annotations

from spectronctl.server.database.values import MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_JSON_VALUES

KIB = 1024
MIB = 1024 * KIB

MAX_BODY_BYTES = 8 * MIB
"""A body with a whole conversation, or an ontology."""
MAX_SMALL_BODY_BYTES = 2 * MIB
"""Any other body."""
MAX_BODIES_BYTES = 32 * MIB
"""Bodies that are held at once: each costs several times its size until it is stored."""
MAX_FREE_BODY_BYTES = 64 * KIB
"""A body that needs no room among them."""
MAX_BODY_VALUES = 250_000
"""Values in a JSON body: an empty list costs two bytes to send and sixty to keep."""

MAX_LABELS = 64
MAX_LABELS_BYTES = 8 * KIB
"""All labels of a write together, in UTF-8."""

MAX_SCOPES = 64
"""Clauses of a selector, and paths of a clause."""
MAX_SCOPE_SEGMENTS = 32
"""Names of a path."""
MAX_SCOPES_BYTES = 8 * KIB
"""All paths of a selector together, in UTF-8. Every memory and every index of it repeats them."""
MAX_SCOPE_NODES = 1_000_000
"""Scopes of a context, tombstones and paths above others included."""
MAX_SCOPE_NAME = 256
"""Characters of what a scope is called."""
MAX_SCOPE_DESCRIPTION = 4_096
"""Characters of what is said of a scope."""

MAX_PROVIDERS = 64
"""Providers that one request configures."""
MAX_SECRET = 8 * KIB
"""Characters of a provider's secret."""

MAX_MESSAGES = 10_000
MAX_FACT_BYTES = 256 * KIB
"""The text of one memory, in UTF-8: a search reads hundreds of them at once."""

MAX_PAGE_BYTES = 2 * MIB
"""Items of a page, as JSON; the one that goes beyond is the last."""
MAX_PIECE = 2 * MIB
"""Characters of turns that are read at once."""
MAX_CONTEXT = 100_000
"""Characters of the text that a session's context is."""

SCOPES_RULE = f"at most {MAX_SCOPES} of each, {MAX_SCOPE_SEGMENTS} names in a path and {MAX_SCOPES_BYTES} bytes in all"
JSON_RULE = f"Any JSON: at most {MAX_JSON_BYTES} bytes, {MAX_JSON_VALUES} names and values, {MAX_JSON_DEPTH} levels"
