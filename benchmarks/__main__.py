"""`python -m benchmarks [--only NAME]… [--quick] [--json]`"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.keys import bench_keys
from benchmarks.listing import bench_contexts_list
from benchmarks.local import bench_local_get
from benchmarks.processes import Bench, NotRunError
from benchmarks.reindex import bench_reindex
from benchmarks.report import RESULTS, describe_machine, describe_programs, write_report
from benchmarks.results import Result, render_table
from benchmarks.rotation import bench_rotation
from benchmarks.sessions import SDK, bench_sessions
from benchmarks.startup import bench_help, bench_version
from benchmarks.throughput import bench_throughput

BENCHES: dict[str, Callable[[Bench], list[Result]]] = {
    "version": bench_version,
    "help": bench_help,
    "contexts-list": bench_contexts_list,
    "keys": bench_keys,
    "rotation": bench_rotation,
    "local-get": bench_local_get,
    "sessions": bench_sessions,
    "reindex": bench_reindex,
    "throughput": bench_throughput,
}

_HTTPIE = Path(__file__).parent.parent / ".venv-httpie" / "bin" / "http"


def main() -> int:
    """Run the benches; 1 when one could not be run, 0 however fast they were. A whole run is written down."""
    options = _parse_options()
    machine = describe_machine(os.getloadavg()[0])
    failures: dict[str, str] = {}
    results = list(_run(options.only or BENCHES, options, failures))
    if options.json:
        print(json.dumps([result.to_dict() for result in results], indent=2, ensure_ascii=False))
    elif results:
        print(render_table(results))
    for name, reason in failures.items():
        print(f"{name} could not be run: {reason}", file=sys.stderr)
    if not (failures or options.only or options.quick):
        peers = {"httpie": options.httpie.with_name("python"), "surrealdb-memory": SDK}
        RESULTS.write_text(write_report(results, machine | describe_programs(peers)), "utf-8")
        print(f"written to {RESULTS}", file=sys.stderr)
    return 1 if failures else 0


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=BENCHES, metavar="NAME", help=", ".join(BENCHES)
    )
    parser.add_argument(
        "--quick", action="store_true", help="few rounds, small sizes: numbers mean nothing"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    parser.add_argument("--httpie", type=Path, default=_HTTPIE, metavar="PATH", help="its `http`")
    return parser.parse_args()


def _run(
    names: Iterable[str], options: argparse.Namespace, failures: dict[str, str]
) -> Iterable[Result]:
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            try:
                yield from BENCHES[name](Bench(Path(home), options.httpie, options.quick))
            except NotRunError as error:
                failures[name] = str(error)


if __name__ == "__main__":
    sys.exit(main())
