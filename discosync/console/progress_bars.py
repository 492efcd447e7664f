"""Progress: a bar on a terminal, lines of text elsewhere."""

import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichBars

_PLAIN_EVERY_SECONDS = 10.0


class PlainProgress:
    """Progress as lines of text, for log files and mails."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._label, self._total, self._done, self._said_at = "", 0, 0, 0.0

    def begin(self, label: str, total: int | None) -> None:
        """Start counting; nothing is printed in the first ten seconds."""
        self._label, self._total, self._done = label, total or 0, 0
        self._said_at = time.monotonic()

    def advance(self, count: int) -> None:
        """Print the count, at most every ten seconds."""
        self._done += count
        if time.monotonic() - self._said_at >= _PLAIN_EVERY_SECONDS:
            of = f" of {self._total:,}" if self._total else ""
            print(f"{self._label}: {self._done:,}{of}", file=self._stream, flush=True)
            self._said_at = time.monotonic()

    def end(self) -> None:
        """Print nothing: the summary follows."""


class BarProgress:
    """Progress as a bar with count, rate and time left."""

    def __init__(self) -> None:
        self._bars: RichBars | None = None

    def begin(self, label: str, total: int | None) -> None:
        """Show a bar; without a total it only pulses."""
        from rich.console import Console as RichConsole  # noqa: PLC0415 - terminals only
        from rich.progress import (  # noqa: PLC0415 - terminals only
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.end()  # rich allows one live bar at a time
        counted = [
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
        ]
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            *(counted if total else [TimeElapsedColumn()]),
            # stdout is for the result, which may go into a file.
            console=RichConsole(stderr=True, markup=False, emoji=False),
            transient=True,
        )
        self._bars.add_task(label, total=total, rate="")
        self._bars.start()

    def advance(self, count: int) -> None:
        """Move the bar."""
        if self._bars is not None:
            task = self._bars.tasks[0]
            rate = f"{task.speed:,.0f}/s" if task.speed else ""
            self._bars.update(task.id, advance=count, rate=rate)

    def end(self) -> None:
        """Remove the bar."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
