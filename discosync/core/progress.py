"""How work reports its progress, without knowing whether anything shows it."""

from typing import Protocol


class Progress(Protocol):
    """Shows one phase of the work at a time, as a bar, as lines of text, or not at all."""

    def begin(self, label: str, total: int | None) -> None:
        """Start a phase; `total` is how many steps it has, None if that is unknown."""

    def advance(self, count: int) -> None:
        """Report that `count` more steps are done."""

    def end(self) -> None:
        """End the phase; does nothing if none was started."""


class NoProgress:
    """Shows no progress."""

    def begin(self, label: str, total: int | None) -> None:
        """Ignore it."""

    def advance(self, count: int) -> None:
        """Ignore it."""

    def end(self) -> None:
        """Ignore it."""
