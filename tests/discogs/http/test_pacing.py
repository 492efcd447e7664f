"""The pace, on a clock of its own."""

import pytest

from discosync.discogs.http.pacing import RESERVE, SLACK_SECONDS, Pacer


class Window:
    """Discogs' moving window of sixty seconds, for one address."""

    def __init__(self, limit: int, *, others: list[float] | None = None) -> None:
        self.limit = limit
        self.hits = list(others or [])
        self.refused = 0

    def answer(self, now: float) -> int:
        """Answer a request; return what is left, the request itself not counted."""
        used = sum(1 for hit in self.hits if now - 60 < hit <= now)
        if used >= self.limit:
            self.refused += 1
        self.hits.append(now)
        return max(0, self.limit - used)


def _run_pacer(window: Window, requests: int, *, latency: float) -> float:
    pacer, now = Pacer(window.limit), 0.0
    for _ in range(requests):
        now += pacer.delay_seconds(now)
        pacer.sent(now)
        remaining = window.answer(now)
        now += latency
        pacer.answered(window.limit, remaining)
    return now


@pytest.mark.parametrize("latency", [0.0, 0.2, 0.9, 1.5])
def test_pace_keeps_the_limit_busy_without_a_429(latency: float) -> None:
    """Three hundred requests: none refused, and hardly slower than the limit or the network."""
    window = Window(60)
    took = _run_pacer(window, 300, latency=latency)

    assert window.refused == 0
    assert took <= max(300 / 57 * 60, 300 * latency) + 10


def test_pace_leaves_room_for_others_at_the_address() -> None:
    """Another program that spends half of the window is noticed: a 429 stays the exception."""
    window = Window(60, others=[number * 2.0 for number in range(-30, 300)])
    _run_pacer(window, 150, latency=0.3)

    assert window.refused <= 150 // 20


def test_without_a_header_our_own_count_decides() -> None:
    """The last requests of a window are left unused, and the first to leave it makes room."""
    pacer = Pacer(5)
    for second in range(5 - RESERVE):
        assert pacer.delay_seconds(second) == 0.0
        pacer.sent(second)
    assert pacer.delay_seconds(10) == 50 + SLACK_SECONDS
    assert pacer.delay_seconds(61) == 0.0


def test_a_window_that_others_used_up_is_looked_at_again_soon() -> None:
    """Nobody knows when they sent their requests, so there is no moment to wait for."""
    pacer = Pacer(60)
    pacer.answered(60, 0)
    assert pacer.delay_seconds(0.0) == 5.0


def test_header_excludes_the_request_that_it_answers() -> None:
    """Three left is two left: the reserve, so the next request waits for the window's end."""
    pacer = Pacer(60)
    pacer.sent(0.0)
    pacer.answered(60, RESERVE + 2)
    assert pacer.delay_seconds(1.0) == 0.0
    pacer.answered(60, RESERVE + 1)
    assert pacer.delay_seconds(1.0) == 59.0 + SLACK_SECONDS


def test_the_limit_is_what_the_newest_answer_says() -> None:
    """Discogs may change its limit; a header without a number changes nothing."""
    pacer = Pacer(60)
    pacer.answered(25, 25)
    assert pacer.limit == 25
    pacer.answered(None, None)
    pacer.answered(0, 0)
    assert pacer.limit == 25


def test_a_server_that_counts_nothing_is_noticed() -> None:
    """Four answers in a row within half a window that all leave the whole limit: no counting."""
    pacer = Pacer(60)
    for second in range(4):
        assert not pacer.is_uncounted
        pacer.sent(second)
        pacer.answered(60, 60)
    assert pacer.is_uncounted
    pacer.sent(4)
    pacer.answered(60, 59)
    assert not pacer.is_uncounted


def test_slow_requests_are_no_sign_of_a_server_that_counts_nothing() -> None:
    """Discogs, too, leaves the whole limit when each request comes a window after the last."""
    pacer = Pacer(60)
    for number in range(6):
        pacer.sent(number * 61.0)
        pacer.answered(60, 60)
    assert not pacer.is_uncounted
