"""
Stand in for an agent: keep each line of stdin as a memory.

    python3 remember.py KEY_FILE [--category context] [--observed-at TIME] < LINES

SPECTRON_URL and SPECTRON_CONTEXT_ID say where. TIME is RFC 3339.
"""

import argparse
import os
import sys
from pathlib import Path

from spectronctl.api.facts import create_fact
from spectronctl.client import Client

parser = argparse.ArgumentParser()
parser.add_argument("key_file", type=Path)
parser.add_argument("--category", choices=["identity", "knowledge", "context"])
parser.add_argument("--observed-at")
options = parser.parse_args()
url = os.environ.get("SPECTRON_URL", "http://localhost:9090")
context = os.environ["SPECTRON_CONTEXT_ID"]
with Client(url, api_key=options.key_file.read_text().strip()) as client:
    for line in filter(str.strip, sys.stdin):
        fact = create_fact(
            context,
            line.strip(),
            memory_category=options.category,
            observed_at=options.observed_at,
        )
        print(client.send(fact).chunk_id)
