"""The words that a field or an option may hold, and the form of names, written once for every layer."""

from __future__ import annotations

import re
from typing import Literal, get_args

CONTEXT_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
CONTEXT_ID_RULE = (
    "lowercase letters, digits and hyphens, 1 to 63 of them, not starting or ending with a hyphen"
)

SECRET = re.compile(r"[A-Za-z0-9._~+/=:@%,-]{1,2048}")
"""What the secret of a key may look like: one word, to which no shell, file format or header gives a meaning."""

# Each set is written as a Literal, for the type checker, and taken from there for what runs: two lists would part ways.
Role = Literal["user", "assistant", "system", "tool"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Who may have said a turn."""

InferMode = Literal["full", "triples", "preview", "none"]
INFER_MODES: tuple[InferMode, ...] = get_args(InferMode)

Category = Literal["identity", "knowledge", "context"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
"""What a memory may be about; memories of `context` are the ones that pass."""

Principal = Literal["agent", "supervisor"]
PRINCIPALS: tuple[Principal, ...] = get_args(Principal)
"""What kinds of caller a key may be for; the first is the default."""

PrincipalKind = Literal["human", "agent", "service", "unknown"]
PRINCIPAL_KINDS: tuple[PrincipalKind, ...] = get_args(PrincipalKind)
"""What a principal may be; what it may do does not depend on it."""

VERBS = (
    "memory:read",
    "memory:write",
    "memory:forget",
    "scope:read",
    "scope:create",
    "scope:delete",
    "grant:manage",
)
"""What a grant may allow."""

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
JOB_STATES: tuple[JobStatus, ...] = get_args(JobStatus)
"""What a job may be; it leaves none of the last three."""

AuthHeader = Literal["both", "bearer", "api-key"]
AUTH_HEADERS: tuple[AuthHeader, ...] = get_args(AuthHeader)
"""Which of the two header generations carry a key."""

OutputFormat = Literal["table", "wide", "json", "jsonl", "yaml", "csv", "name"]
OUTPUT_FORMATS: tuple[OutputFormat, ...] = get_args(OutputFormat)
"""How a response is written to stdout."""

Color = Literal["auto", "always", "never"]
COLORS: tuple[Color, ...] = get_args(Color)
"""When to colour."""
