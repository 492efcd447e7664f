"""How long work shows its progress, without knowing who looks."""

from typing import Protocol


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
