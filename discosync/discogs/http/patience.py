"""How often a request is tried, how long to wait in between, and when to give up."""

import math
import random
import time
from dataclasses import dataclass
from typing import Self

from discosync.discogs.answers import RetryLater
from discosync.errors import RequestsUsedUp

_SHORTEST_TIMEOUT_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A moment of the monotonic clock after which no request may be sent or waited for."""

    ends_at: float = math.inf

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Set it that many seconds from now."""
        return cls(ends_at=time.monotonic() + seconds)

    @property
    def left_seconds(self) -> float:
        """How long it is until then; negative when it is over."""
        return self.ends_at - time.monotonic()

    def require(self, seconds: float) -> None:
        """Raise `RequestsUsedUp` unless more than that many seconds are left."""
        if self.left_seconds <= seconds:
            raise RequestsUsedUp(
                "the time that this run may spend on these requests is used up",
                hint="run again, or raise --time-budget",
            )


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

    def timeouts(self, deadline: Deadline) -> tuple[float, float]:
        """Return the seconds to wait for a connection, and for each piece of an answer."""
        left = max(deadline.left_seconds, _SHORTEST_TIMEOUT_SECONDS)
        return min(self.connect_timeout_seconds, left), min(self.read_timeout_seconds, left)

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
