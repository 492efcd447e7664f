"""Trace a walk through the pages at Discogs' real limits: each minute is used, without a 429.

    python benchmarks/pace.py [--listings 20000]

The sandbox serves a made-up shop and, as Discogs does, refuses more than 60 requests in 60 seconds.
`discosync sync --source pages` walks through it, and the times of its requests are printed. It
takes about three minutes, and ends with 1 after a 429.
"""

import argparse
import sys
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the checkout, which no environment holds

from benchmarks.harness.sandboxed import sync_from
from discosync.discogs.http.pacing import LIMIT_WITH_TOKEN, WINDOW_SECONDS
from discosync.sandbox.inventory import make_inventory
from discosync.sandbox.server import serving
from discosync.sandbox.state import SandboxState

_SLICE_SECONDS = 10
_WIDEST_BAR = 60


class _TracedState(SandboxState):
    """A sandbox that remembers when each request came."""

    def __init__(self, listings: int) -> None:
        inventory = make_inventory(listings)
        super().__init__(seller="bench", inventory=inventory, enforces_limits=True)
        self.came_at: list[float] = []

    def count_request(self) -> int:
        self.came_at.append(time.monotonic())
        return super().count_request()


def _most_in_a_window(came_at: Sequence[float]) -> int:
    ends = (bisect_right(came_at, moment + WINDOW_SECONDS) for moment in came_at)
    return max(end - start for start, end in enumerate(ends))


def _render(came_at: Sequence[float], seconds: float, throttled: int) -> Iterator[str]:
    began = came_at[0]
    slices = Counter(int((moment - began) // _SLICE_SECONDS) for moment in came_at)
    yield "seconds    requests"
    for number in range(max(slices) + 1):
        first, count = number * _SLICE_SECONDS, slices[number]
        yield f"{first:>4} … {first + _SLICE_SECONDS:<4} {count:>3} {'#' * min(count, _WIDEST_BAR)}"
    least = (len(came_at) - 1) // LIMIT_WITH_TOKEN * WINDOW_SECONDS
    yield ""
    yield f"{len(came_at)} requests in {seconds:.0f} s; the limit allows them in {least:.0f} s"
    yield f"at most {_most_in_a_window(came_at)} in any minute; refused with 429: {throttled}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Walk and print; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--listings", type=int, default=20_000)
    state = _TracedState(parser.parse_args(arguments).listings)
    with serving(state) as server:
        done = sync_from(server.url, state, "pages")
    for line in _render(state.came_at, done.seconds, state.throttled):
        print(line)
    return 1 if state.throttled else 0


if __name__ == "__main__":
    sys.exit(main())
