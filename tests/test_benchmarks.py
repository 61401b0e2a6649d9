"""`python -m benchmarks` runs, and says what it found in the shape that is promised; how fast is not asked here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.results import Result, Target, render_table

ROOT = Path(__file__).parent.parent
TARGETS = {
    "version": "≤ 3",
    "help": "≤ 8",
    "last-page": "≤ 1.5",
    "keys-memory": "< 1",
    "rotation": "≥ 5",
    "rotation-memory": "< 1",
    "local-get": "≤ 4",
    "transcript": "≥ 3",
    "transcript-growth": "≤ 11",
    "transcript-memory": "< 1",
    "deep-page": "≤ 2",
    "import": None,
    "reindex": "≥ 0.5",
    "reindex-requests": "≤ 5",
    "throughput": "≥ 0.7",
}


def run_benchmarks(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", *options],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(
    not (ROOT / ".venv-sdk-b10").exists(), reason=".venv-sdk-b10 is missing: `make test` builds it"
)
def test_every_bench_measures_both_sides_against_its_target() -> None:
    names = [
        "version",
        "help",
        "keys",
        "rotation",
        "local-get",
        "sessions",
        "reindex",
        "throughput",
    ]
    done = run_benchmarks("--json", *(f"--only={name}" for name in names))
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert {result["name"]: result["target"] for result in results} == TARGETS
    for result in results:
        assert result["median"] > 0, result
        assert result["baseline"] > 0, result
        assert result["ratio"] == pytest.approx(result["median"] / result["baseline"], rel=0.01)


def test_a_bench_that_cannot_run_is_an_error_and_the_others_are_shown() -> None:
    done = run_benchmarks("--httpie", "no/such/http", "--only=contexts-list", "--only=version")
    assert done.returncode == 1
    assert "contexts-list could not be run: there is no no/such/http" in done.stderr
    assert "spectronctl --version" in done.stdout


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        (Target("≤", 0.5), "yes"),
        (Target("<", 0.5), "NO"),
        (Target("≥", 0.5), "yes"),
        (Target("≤", 0.4), "NO"),
        (Target("≥", 0.6), "NO"),
        (None, "-"),
    ],
)
def test_a_table_says_whether_the_target_is_reached(target: Target | None, reached: str) -> None:
    result = Result(
        name="half",
        measured="this",
        against="that",
        unit="ms",
        median=1,
        baseline=2,
        target=target,
        notes=("no surprise",),
    )
    lines = render_table([result]).splitlines()
    assert lines[1].split()[-1] == reached
    assert lines[-1] == "half: no surprise"
