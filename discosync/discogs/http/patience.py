"""How often a request is tried, how long to wait in between, and when to give up."""

import random
from dataclasses import dataclass

from discosync.discogs.answers import RetryLater


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The bounds of one request: attempts, waits and total time.

    Waits double from attempt to attempt, up to `max_wait_seconds`.
    """

    attempts: int = 5
    first_wait_seconds: float = 1.0
    first_throttled_wait_seconds: float = 5.0
    max_wait_seconds: float = 60.0
    total_seconds: float = 300.0
    connect_timeout_seconds: float = 10.0
    read_timeout_seconds: float = 60.0

    def wait_before_retry(self, fault: RetryLater, tries: int) -> float:
        """Return the seconds to wait after `tries` failed attempts, the last one with `fault`."""
        longest = self.max_wait_seconds
        # `Retry-After` decides, up to our longest wait: some servers send hours.
        if fault.wait_seconds is not None:
            return min(fault.wait_seconds, longest)
        # After a 429 the window of 60 seconds must empty, so no jitter shortens this wait.
        if fault.throttled:
            return min(self.first_throttled_wait_seconds * 2.0 ** (tries - 1), longest)
        # Jitter, so that programs that failed together do not return together.
        ceiling = min(self.first_wait_seconds * 2.0 ** (tries - 1), longest)
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter, no secret
