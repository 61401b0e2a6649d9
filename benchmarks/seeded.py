"""
A server process with a full store: `python -m benchmarks.seeded KEYS`.

It has one context with that many keys, and runs until its stdin closes. Beside the product's application it serves, in
the same event loop and on the same store connection, a bare route that makes the query of `GET /contexts/{id}`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from itertools import batched
from typing import Any

import uvicorn
from fastapi import FastAPI

CONTEXT_ID = "acme-prod"
