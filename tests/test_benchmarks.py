"""`python -m benchmarks` runs, and says what it found in the shape that is promised; how fast is not asked here."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.processes import NotRunError
from benchmarks.report import describe_machine, describe_programs, write_report
from benchmarks.results import Result, Target, render_table
from tests.support.soak import SOAK

ROOT = Path(__file__).parent.parent
TARGETS: dict[str, dict[str, str | None]] = {
    "version": {"version": "≤ 3"},
    "help": {"help": "≤ 8"},
    "keys": {"last-page": "≤ 1.5", "keys-memory": "< 1"},
    "rotation": {"rotation": "≥ 5", "rotation-memory": "< 1"},
    "local-get": {"local-get": "≤ 4"},
    "sessions": {
        "transcript": "≥ 3",
        "transcript-growth": "≤ 11",
        "transcript-memory": "< 1",
        "deep-page": "≤ 2",
        "import": None,
    },
    "reindex": {"reindex": "≥ 0.5", "reindex-requests": "≤ 5"},
    "throughput": {"throughput": "≥ 0.7"},
}
"""The results of each bench, and their targets."""
SAMPLE = ("version", "help", "keys", "local-get", "sessions")


def run_benchmarks(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", *options],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=550,
    )


@pytest.mark.timeout(600)
@pytest.mark.skipif(
    not (ROOT / ".venv-sdk-b10").exists(), reason=".venv-sdk-b10 is missing: `make test` builds it"
)
def test_every_bench_measures_both_sides_against_its_target() -> None:
    names = list(TARGETS) if SOAK else SAMPLE
    done = run_benchmarks("--json", *(f"--only={name}" for name in names))
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    wanted = {result: target for name in names for result, target in TARGETS[name].items()}
    assert {result["name"]: result["target"] for result in results} == wanted
    for result in results:
        assert result["median"] > 0, result
        assert result["baseline"] > 0, result
        assert result["ratio"] == pytest.approx(result["median"] / result["baseline"], rel=0.01)


@pytest.mark.timeout(600)
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


HALF = Result(
    name="half",
    measured="this | that",
    against="the peer",
    unit="ms",
    median=1,
    baseline=2,
    target=Target("<", 0.5),
    notes=("no surprise",),
)


def test_the_report_has_the_facts_the_table_and_the_notes() -> None:
    page = write_report([HALF], {"Date": "2026-05-01", "httpie": "3.2.4"})
    assert page.startswith("# Benchmarks\n")
    assert "\n- Date: 2026-05-01\n- httpie: 3.2.4\n" in page
    assert (
        "\n| half | this \\| that | the peer | 1.0 ms | 2.0 ms | 0.50 | < 0.5 | NO |\n"
        "\nTargets reached: 0 of 1. Missed: half.\n" in page
    )
    assert "\n- half: no surprise\n" in page
    assert "make bench\n" in page


def test_the_facts_tell_of_the_machine_and_not_which_one_it_is() -> None:
    facts = describe_machine(0.25) | describe_programs({"pytest": Path(sys.executable)})
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", facts["Date"])
    assert re.search(r", \d+ cores$", facts["Processor"])
    assert facts["Load before the run"] == "0.25"
    assert facts["Python"].endswith(".".join(map(str, sys.version_info[:3])))
    assert facts["pytest"] == pytest.__version__
    told = " ".join(facts.values())
    assert not re.search(rf"\b{re.escape(platform.node() or '?')}\b", told)
    assert str(Path.home()) not in told


@pytest.mark.parametrize(
    ("options", "fails", "is_written"),
    [
        ([], False, True),
        (["--json"], False, True),
        (["--quick"], False, False),
        (["--only=one"], False, False),
        ([], True, False),
    ],
)
def test_only_a_whole_run_is_written_down(
    options: list[str],
    fails: bool,
    is_written: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def fail(bench: object) -> list[Result]:
        raise NotRunError("no peer")

    page = tmp_path / "RESULTS.md"
    benches = {"one": lambda bench: [HALF], **({"two": fail} if fails else {})}
    monkeypatch.setattr(benchmarks, "BENCHES", benches)
    monkeypatch.setattr(benchmarks, "RESULTS", page)
    monkeypatch.setattr(benchmarks, "describe_programs", lambda peers: dict.fromkeys(peers, "1.0"))
    monkeypatch.setattr(sys, "argv", ["benchmarks", *options])

    assert benchmarks.main() == int(fails)
    assert page.exists() == is_written
    if is_written:
        text = page.read_text()
        assert "\n- httpie: 1.0\n- surrealdb-memory: 1.0\n" in text
        assert "| half |" in text
