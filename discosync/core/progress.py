"""How long work shows its progress, without knowing who looks."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

_STEP = 1000

T = TypeVar("T")


class Progress(Protocol):
    """Something that shows one phase at a time: a bar, lines of text, or nothing."""

    def begin(self, label: str, total: int | None) -> None:
        """Start a phase; `total` is None when nobody knows it."""

    def advance(self, count: int) -> None:
        """Report that `count` more are done."""

    def end(self) -> None:
        """Finish the phase; also when nothing was begun."""


class NoProgress:
    """Shows nothing."""

    def begin(self, label: str, total: int | None) -> None:
        """Ignore it."""

    def advance(self, count: int) -> None:
        """Ignore it."""

    def end(self) -> None:
        """Ignore it."""


def counted(items: Iterable[T], progress: Progress) -> Iterator[T]:
    """Hand the items on, and tell how many have gone by."""
    for number, item in enumerate(items, start=1):
        yield item
        if number % _STEP == 0:
            progress.advance(_STEP)
