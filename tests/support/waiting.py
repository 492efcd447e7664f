"""Wait for what a process does: for something that can be seen, and never for a time."""

import time
from collections.abc import Callable
from typing import IO

ENDLESS_SECONDS = 1_000_000
"""How long a server keeps a request that must be ended by something else."""

HUNG_AFTER_SECONDS = 120
"""No test's verdict depends on it: whatever takes longer than this hangs."""


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait for something that another process or thread does."""
    gives_up_at = time.monotonic() + HUNG_AFTER_SECONDS
    while not is_so():
        assert time.monotonic() < gives_up_at, "it did not come to that: it hangs"
        time.sleep(0.02)


def wait_for_line(stream: IO[str] | None, words: str) -> None:
    """Read what a process prints until a line holds these words."""
    assert stream is not None
    said = []
    while words not in (line := stream.readline()):
        said.append(line)
        assert line, f"it ended without {words!r}: {''.join(said)}"
