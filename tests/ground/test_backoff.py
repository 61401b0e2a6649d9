from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spectronctl.ground.backoff import pause_after


def test_pauses_double_up_to_the_longest() -> None:
    pauses = [pause_after(attempt, 0.5, 3.0) for attempt in range(1, 6)]
    assert pauses == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_pauses_grow_by_another_factor() -> None:
    assert [pause_after(attempt, 4.0, 10.0, factor=1.5) for attempt in (1, 2, 3, 4)] == [
        4,
        6,
        9,
        10,
    ]


@given(attempt=st.integers(1, 10**9), jitter=st.floats(0, 1))
def test_jitter_is_the_share_that_is_waited_after_any_number_of_attempts(
    attempt: int, jitter: float
) -> None:
    whole = pause_after(attempt, 0.5, 8.0)
    assert 0.5 <= whole <= 8.0
    assert pause_after(attempt, 0.5, 8.0, jitter=jitter) == jitter * whole
