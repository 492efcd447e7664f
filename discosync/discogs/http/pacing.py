"""How long to wait before a request, so that Discogs hardly ever answers 429.

Discogs counts the requests of a moving window of 60 seconds by source address: 60 with a token, 25
without (Discogs' API documentation, rate limiting). One count serves all tokens of an address, and
`X-Discogs-Ratelimit-Remaining` excludes the request that it answers (both observed, August 2026).
Other programs at the same address use up the same window. So the header is believed where there is
one; our own count serves where there is none.
"""

from collections import deque

WINDOW_SECONDS = 60.0
LIMIT_WITH_TOKEN = 60
LIMIT_WITHOUT_TOKEN = 25

SLACK_SECONDS = 0.5
"""Added to each wait for a window's end: two clocks never agree to the millisecond."""

RESERVE = 2
"""Requests of a window that we leave unused: another program may send one in between."""

_BLIND_WAIT_SECONDS = 5.0
_EVIDENCE = 3


class Pacer:
    """Counts requests and says how long to wait; every time is in seconds of a monotonic clock."""

    def __init__(self, limit: int, *, window_seconds: float = WINDOW_SECONDS) -> None:
        self._limit = limit
        self._window_seconds = window_seconds
        self._sent_at: deque[float] = deque()
        self._left: int | None = None
        self._answered: deque[float] = deque(maxlen=_EVIDENCE + 1)  # by when they were sent

    @property
    def limit(self) -> int:
        """How many requests a window may hold, by the newest answer that says so."""
        return self._limit

    @property
    def is_uncounted(self) -> bool:
        """Whether the server does not count requests, as the sandbox does not by default.

        It answered four requests in a row within half a window, and said each time that its whole
        limit is left. Discogs never does. Such a server's window need not be shared.
        """
        answered = self._answered
        return len(answered) > _EVIDENCE and answered[-1] - answered[0] < self._window_seconds / 2

    def delay_seconds(self, now: float) -> float:
        """Return the seconds to wait, 0.0 or more, so that the next request is within the limit."""
        self._forget_before(now - self._window_seconds)
        left = self._limit - len(self._sent_at) if self._left is None else self._left
        if left > RESERVE:
            return 0.0
        # Another program used the window up, and when it did so is unknown: look again soon.
        if not self._sent_at:
            return _BLIND_WAIT_SECONDS
        return max(0.0, self._sent_at[0] + self._window_seconds + SLACK_SECONDS - now)

    def sent(self, now: float) -> None:
        """Count a request that is sent at `now`."""
        self._sent_at.append(now)

    def answered(self, limit: int | None, remaining: int | None) -> None:
        """Note an answer's `X-Discogs-Ratelimit` and `…-Remaining`; None for a header it lacks."""
        if limit is not None and limit > 0:
            self._limit = limit
        # The number excludes the request that it answers.
        self._left = None if remaining is None else remaining - 1
        if remaining is None or remaining < self._limit:
            self._answered.clear()
        elif self._sent_at:
            self._answered.append(self._sent_at[-1])

    def _forget_before(self, moment: float) -> None:
        while self._sent_at and self._sent_at[0] <= moment:
            self._sent_at.popleft()
            if self._left is not None:  # what leaves the window is free again
                self._left += 1
