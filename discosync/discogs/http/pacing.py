"""Keep below Discogs' rate limit, so that a 429 is the exception.

Discogs counts a moving window of 60 seconds per source address, whatever the token, and tells
what is left in `X-Discogs-Ratelimit-Remaining`; the number excludes the request it answers
(observed, August 2026). Other programs at the same address spend from the same window, so the
header is believed, and our own count serves only where there is none.
"""

from collections import deque

WINDOW_SECONDS = 60.0
LIMIT_WITH_TOKEN = 60
LIMIT_WITHOUT_TOKEN = 25

SLACK_SECONDS = 0.5
RESERVE = 2
_BLIND_WAIT_SECONDS = 5.0
_EVIDENCE = 3


class Pacer:
    """Says how long to wait before the next request; times are seconds of a monotonic clock."""

    def __init__(self, limit: int, *, window_seconds: float = WINDOW_SECONDS) -> None:
        self._limit = limit
        self._window_seconds = window_seconds
        self._sent_at: deque[float] = deque()
        self._left: int | None = None
        self._answered: deque[float] = deque(maxlen=_EVIDENCE + 1)  # by when they were sent

    @property
    def limit(self) -> int:
        """How many requests a window may hold, as far as is known."""
        return self._limit

    @property
    def is_uncounted(self) -> bool:
        """Whether the server counts nothing at all, as a rehearsal's does.

        It says that its whole limit is left, although we asked it several times within half a
        window and it answered each time. Discogs never does: then a window need not be shared.
        """
        answered = self._answered
        return len(answered) > _EVIDENCE and answered[-1] - answered[0] < self._window_seconds / 2

    def delay_seconds(self, now: float) -> float:
        """Say how long to wait so that the next request stays below the limit."""
        self._forget_before(now - self._window_seconds)
        left = self._limit - len(self._sent_at) if self._left is None else self._left
        if left > RESERVE:
            return 0.0
        if not self._sent_at:  # somebody else spends it all
            return _BLIND_WAIT_SECONDS
        return max(0.0, self._sent_at[0] + self._window_seconds + SLACK_SECONDS - now)

    def sent(self, now: float) -> None:
        """Count a request that goes out now."""
        self._sent_at.append(now)

    def answered(self, limit: int | None, remaining: int | None) -> None:
        """Take in what an answer's headers say; `remaining` excludes the request it answers."""
        if limit is not None and limit > 0:
            self._limit = limit
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
