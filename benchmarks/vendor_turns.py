"""
Read a session with the vendor's SDK, in its own environment: `vendor_turns.py URL CONTEXT SESSION`, the key on stdin.

Prints how many turns there were.
"""

from __future__ import annotations

import sys

from surrealdb.memory import Memory

_PAGE = 500


def main(key: str, url: str, context: str, session_id: str) -> None:
    count = 0
    with Memory(context, endpoint=url, api_key=key) as memory:
        while page := memory.sessions.turns(session_id, limit=_PAGE, offset=count).turns:
            count += len(page)
            if len(page) < _PAGE:
                break
    print(count)


if __name__ == "__main__":
    main(sys.stdin.readline().strip(), *sys.argv[1:])
