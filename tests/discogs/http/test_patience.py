"""How long a failed request waits before the next attempt."""

import pytest

from discosync.discogs.answers import RetryLater
from discosync.discogs.http.patience import Patience
from discosync.errors import SourceUnavailable

PATIENCE = Patience(first_wait_seconds=1, first_throttled_wait_seconds=5, max_wait_seconds=60)


def _fault(*, wait_seconds: float | None = None, throttled: bool = False) -> RetryLater:
    error = SourceUnavailable("Discogs did not answer")
    return RetryLater(error, wait_seconds=wait_seconds, throttled=throttled)


def test_waits_double_up_to_the_longest() -> None:
    """After a 429 the waits are 5, 10, 20, 40 and then 60 seconds."""
    waits = [PATIENCE.wait_before_retry(_fault(throttled=True), tries) for tries in range(1, 7)]
    assert waits == [5, 10, 20, 40, 60, 60]


@pytest.mark.parametrize(("tries", "longest"), [(1, 1.0), (3, 4.0), (9, 60.0)])
def test_jitter_halves_a_wait_at_most(tries: int, longest: float) -> None:
    """Other failures wait for a random time between half of the full wait and all of it."""
    waits = {PATIENCE.wait_before_retry(_fault(), tries) for _ in range(200)}
    assert len(waits) > 1
    assert all(longest / 2 <= wait <= longest for wait in waits)


def test_what_discogs_asks_for_counts_up_to_the_longest_wait() -> None:
    """`Retry-After` is obeyed, but not for hours."""
    assert PATIENCE.wait_before_retry(_fault(wait_seconds=3, throttled=True), 4) == 3
    assert PATIENCE.wait_before_retry(_fault(wait_seconds=7200, throttled=True), 1) == 60
