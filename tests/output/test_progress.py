from __future__ import annotations

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from spectronctl.output.output import Output
from spectronctl.output.progress import LinesProgress, show_rate
from spectronctl.output.streams import Streams
from tests.support.commandline import Stream


def make_output(
    format: str = "table", *, terminal: bool = False, **env: str
) -> tuple[Output, Stream]:
    err = Stream(terminal=terminal)
    streams = Streams(Stream(), Stream(terminal=terminal), err, env)
    return Output(format, streams, quiet="QUIET" in env), err


def count_two(out: Output) -> None:
    with out.progress("rotated", 2) as progress:
        progress.advance("app\x1b[2J")
        progress.advance("web")


def test_a_line_per_change_where_no_one_watches() -> None:
    out, err = make_output()
    count_two(out)
    assert err.written() == "rotated: 1 of 2: app\\x1b[2J\nrotated: 2 of 2: web\n"


def test_a_line_per_change_in_ci_although_it_claims_a_terminal() -> None:
    out, err = make_output(terminal=True, CI="1")
    count_two(out)
    assert err.written().endswith("rotated: 2 of 2: web\n")


def test_programs_get_events() -> None:
    out, err = make_output("json", terminal=True)
    count_two(out)
    events = [json.loads(line) for line in err.written().splitlines()]
    assert [(event["event"], event["done"], event["total"]) for event in events] == [
        ("progress", 1, 2),
        ("progress", 2, 2),
    ]


def test_a_person_sees_a_bar_that_is_gone_afterwards() -> None:
    out, err = make_output(terminal=True, COLUMNS="100")
    count_two(out)
    drawn = err.written()
    assert "2/2" in drawn
    assert "━" in drawn
    assert drawn.endswith("\x1b[2K")


def test_a_bar_spells_out_what_would_steer_the_terminal() -> None:
    out, err = make_output(terminal=True, COLUMNS="100")
    with out.progress("job\x1b]0;owned\x07", 2) as progress:
        progress.advance("run\x1b[2Jning\u202e")
    shown = err.written()
    assert "job\\x1b]0;owned\\x07" in shown
    assert "run\\x1b[2Jning\\u202e" in shown
    assert not {"\x1b[2J", "\x1b]", "\x07", "\u202e"} & {
        *re.findall(r"\x1b\[2J|\x1b\]|\x07|\u202e", shown)
    }


def test_quiet_says_nothing() -> None:
    out, err = make_output(QUIET="1")
    count_two(out)
    assert err.written() == ""


def test_an_unknown_total_is_not_told() -> None:
    out, err = make_output()
    with out.progress("turns") as progress:
        progress.advance(count=500)
    assert err.written() == "turns: 500\n"


def test_silence_is_broken_by_a_heartbeat() -> None:
    events: list[str] = []
    beaten = threading.Event()

    def write(event: dict[str, object]) -> None:
        events.append(str(event["event"]))
        beaten.set()

    with LinesProgress("rotated", 2, write, heartbeat=0.01):
        assert beaten.wait(5)
    assert set(events) == {"heartbeat"}
    beaten.clear()
    assert not beaten.wait(0.05), "it goes on after the work is over"


@pytest.mark.parametrize("terminal", [False, True])
def test_threads_lose_no_count(terminal: bool) -> None:
    out, _ = make_output(terminal=terminal)
    with out.progress("rotated", 400) as progress, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: progress.advance(), range(400)))
    assert progress.done == 400


def reach_four(out: Output) -> None:
    with out.progress("reindex acme") as progress:
        progress.reach(0, None, "queued")
        progress.reach(0, None, "queued")
        progress.reach(3, 10, "running")
        progress.reach(4, 10, "running")
        progress.reach(4, 10, "running")


def test_absolute_progress_is_told_when_it_has_changed() -> None:
    out, err = make_output()
    reach_four(out)
    assert err.written().splitlines() == [
        "reindex acme: 0: queued",
        "reindex acme: 3 of 10: running",
        "reindex acme: 4 of 10: running",
    ]


def test_programs_learn_a_total_that_becomes_known_later() -> None:
    out, err = make_output("jsonl")
    reach_four(out)
    events = [json.loads(line) for line in err.written().splitlines()]
    assert [(event["done"], event["total"]) for event in events] == [(0, None), (3, 10), (4, 10)]


def test_a_bar_has_the_total_that_became_known_later() -> None:
    out, err = make_output(terminal=True, COLUMNS="100")
    reach_four(out)
    assert "4/10" in err.written()


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(None, ""), (0.123, "0.12/s"), (3.456, "3.5/s"), (12.3, "12/s"), (1234.5, "1234/s")],
)
def test_a_rate_has_two_digits_at_least(rate: float | None, shown: str) -> None:
    assert show_rate(rate) == shown


def test_a_bar_shows_the_rate() -> None:
    out, err = make_output(terminal=True, COLUMNS="120")
    with out.progress("reindex acme", 1000) as progress:
        for done in range(0, 1000, 100):
            progress.reach(done, 1000)
            time.sleep(0.001)
    assert "/s" in err.written()
