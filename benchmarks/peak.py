"""
Run a command and tell on stderr how much memory it held at most: `python -m benchmarks.peak ARGV…`.

A process of its own and a small one, since a child's peak begins with the size of the process that started it.
"""

from __future__ import annotations

import resource
import subprocess
import sys

_BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024


def main(argv: list[str]) -> int:
    """Its exit code; the last line on stderr is its peak resident set, in bytes."""
    code = subprocess.call(argv)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _BYTES_PER_UNIT
    print(peak, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
