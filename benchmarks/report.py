"""What a whole run found, as a page that is kept: `benchmarks/RESULTS.md`."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.results import Result, make_row

RESULTS = Path(__file__).with_name("RESULTS.md")

_OPENING = """\
# Benchmarks

One run of `make bench`, which writes this page. Each line sets what the project does beside a peer that the same run
has measured on the same machine, or beside a limit: it is the ratio that tells something. A target is a bound that an
issue has set on it.
"""

_CLOSING = """\
## Run them

```sh
make bench
make bench BENCH_ARGS='--only help --only contexts-list'
make bench BENCH_ARGS='--quick'
```

Only a whole run rewrites this page: not one of some benches (`--only`), not a `--quick` one, whose numbers mean
nothing. `--json` prints the same as an array.
"""

_HEAD = ("Bench", "Measured", "Against", "Median", "Median against", "Ratio", "Target", "Reached")
_BESIDE_PYTHON = ("-c", "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))")


def describe_machine(load: float) -> dict[str, str]:
    """What the numbers depend on, and nothing that names the machine; `load` was there before the run began."""
    return {
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
        "Processor": f"{_find_processor()}, {os.cpu_count()} cores",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "System": f"{platform.system()} on {platform.machine()}",
        "Load before the run": f"{load:.2f}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def describe_programs(peers: Mapping[str, Path]) -> dict[str, str]:
    """The versions of what was measured and, by distribution and its Python, of what it was measured against."""
    own = {name: version(name) for name in ("spectronctl", "surrealdb-embedded")}
    return own | {name: _ask_version(python, name) for name, python in peers.items()}


def _find_processor() -> str:
    try:
        names = re.findall(
            r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE
        )
    except OSError:
        names = []
    return names[0].strip() if names else platform.machine()


def _ask_version(python: Path, distribution: str) -> str:
    done = subprocess.run(
        [python, *_BESIDE_PYTHON, distribution], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def write_report(results: Sequence[Result], facts: Mapping[str, str]) -> str:
    """The page: the facts, the table, the notes, how to run it."""
    rows = [_HEAD, ["---"] * len(_HEAD), *map(make_row, results)]
    notes = [f"- {result.name}: {note}" for result in results for note in result.notes]
    return "\n".join(
        [
            _OPENING,
            *(f"- {name}: {fact}" for name, fact in facts.items()),
            "",
            *map(_write_row, rows),
            "",
            _count_reached(results),
            "",
            *(["## Notes", "", *notes, ""] if notes else []),
            _CLOSING,
        ]
    )


def _write_row(cells: Iterable[str]) -> str:
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _count_reached(results: Iterable[Result]) -> str:
    aimed = [result for result in results if result.target is not None]
    missed = [result.name for result in aimed if not result.reached]
    count = f"Targets reached: {len(aimed) - len(missed)} of {len(aimed)}."
    return f"{count} Missed: {', '.join(missed)}." if missed else count
