"""What people see: progress, summary, diff, errors. Results go to stdout, the rest to stderr.

The only importer of rich, and only where a terminal is looked at.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from discosync.core.diff import diff_rows, left_out, render_counts, render_markdown, render_size
from discosync.core.progress import NoProgress, Progress
from discosync.core.report import Problem, RunReport
from discosync.errors import EXIT_STATUS_MEANINGS, DiscosyncError, ExitStatus
from discosync.log_format import JsonFormatter
from discosync.report_file import write_json

if TYPE_CHECKING:
    from rich.progress import Progress as RichBars

_MAX_PROBLEMS = 10
_PLAIN_EVERY_SECONDS = 10.0
_KIND_COLOURS = {"added": "green", "updated": "yellow", "removed": "red", "reactivated": "cyan"}


def is_colourful(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose user has not asked for plain text."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class PlainProgress:
    """Progress as lines of text, for where nobody watches a bar."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._label, self._total, self._done, self._said_at = "", 0, 0, 0.0

    def begin(self, label: str, total: int | None) -> None:
        """Start counting; what is quick says nothing."""
        self._label, self._total, self._done = label, total or 0, 0
        self._said_at = time.monotonic()

    def advance(self, count: int) -> None:
        """Say how far it is, every ten seconds."""
        self._done += count
        if time.monotonic() - self._said_at >= _PLAIN_EVERY_SECONDS:
            of = f" of {self._total:,}" if self._total else ""
            print(f"{self._label}: {self._done:,}{of}", file=self._stream, flush=True)
            self._said_at = time.monotonic()

    def end(self) -> None:
        """Say nothing: the summary follows."""


class BarProgress:
    """Progress as a bar with counts, rate and time left."""

    def __init__(self) -> None:
        self._bars: RichBars | None = None

    def begin(self, label: str, total: int | None) -> None:
        """Show a bar; a pulsing one when nobody knows the total."""
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

        self.end()
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
        """Take the bar away."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """How much to say, and in which form."""

    verbosity: int = 0
    quiet: bool = False
    as_json: bool = False

    def progress(self) -> Progress:
        """Choose how to show progress."""
        if self.quiet:
            return NoProgress()
        if is_colourful(sys.stderr) and not self.verbosity:
            return BarProgress()
        return PlainProgress(sys.stderr)

    def set_up_logging(self, log_format: str) -> None:
        """Send our log to stderr: phases with -v, every request with -vv."""
        levels = (logging.WARNING, logging.INFO, logging.DEBUG)
        handler = logging.StreamHandler(sys.stderr)
        plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
        handler.setFormatter(JsonFormatter() if log_format == "json" else plain)
        logger = logging.getLogger("discosync")
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(levels[min(self.verbosity, 2)])

    def show_json(self, content: Mapping[str, Any]) -> None:
        """Print one JSON object, alone on stdout."""
        print(json.dumps(content, ensure_ascii=False))

    def show_text(self, text: str) -> None:
        """Print a result as it is."""
        print(text, flush=True)

    def show_fields(self, fields: Mapping[str, str | None]) -> None:
        """Print named values, a line each."""
        if self.as_json:
            self.show_json(fields)
            return
        for name, value in fields.items():
            print(f"{name:<10} {value or '–'}")

    def show_error(self, error: DiscosyncError) -> None:
        """Say what happened, what it means, and what to type."""
        status = error.exit_status
        print(f"discosync: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  → {error.hint}", file=sys.stderr)
        print(f"  exit status {int(status)} ({EXIT_STATUS_MEANINGS[status]})", file=sys.stderr)

    def tell(self, report: RunReport, *, diff: str | None = None) -> ExitStatus:
        """Show how a run ended; return the status to end with."""
        return _say(lambda: self.show_report(report, diff=diff), report.exit_status)

    def tell_combined(self, combined: Mapping[str, Any], *, path: Path | None) -> ExitStatus:
        """Show how several sellers' runs ended, and write their reports where asked."""
        status = ExitStatus(combined["exit_code"])
        if path is not None:
            status = _say(lambda: write_json(combined, path), status)
        return _say(lambda: self.show_json(combined), status) if self.as_json else status

    def show_report(self, report: RunReport, *, diff: str | None = None) -> None:
        """Show how a run ended."""
        if self.as_json:
            self.show_json(report.to_json())
        elif diff is not None:
            self._show_diff(report, diff)
        elif not self.quiet and report.error is None:
            self._show_lines(list(_summary_lines(report)), report)
        self._show_problems(report.problems)
        if report.error is not None:
            self.show_error(report.error)

    def _show_lines(self, lines: Sequence[tuple[str, str]], report: RunReport) -> None:
        headline = _headline(report)
        if not is_colourful(sys.stdout):
            print(headline)
            for name, text in lines:
                print(f"  {name:<10} {text}")
            return
        from rich.console import Console as RichConsole  # noqa: PLC0415 - terminals only
        from rich.text import Text  # noqa: PLC0415 - terminals only

        console = RichConsole(highlight=False, markup=False, emoji=False, soft_wrap=True)
        is_clean = report.exit_status is ExitStatus.OK
        console.print(Text(headline, style="bold green" if is_clean else "bold yellow"))
        for name, text in lines:
            console.print(Text.assemble((f"  {name:<10} ", "dim"), text))

    def _show_diff(self, report: RunReport, diff: str) -> None:
        if diff == "json":
            self.show_json(report.to_json())
        elif diff == "markdown":
            print(render_markdown(report), end="")
        else:
            _show_table(report)

    def _show_problems(self, problems: Sequence[Problem]) -> None:
        shown = [p for p in problems if p.is_warning or not self.quiet]
        for problem in shown[:_MAX_PROBLEMS]:
            where = f" (line {problem.line})" if problem.line else ""
            kind = "warning" if problem.is_warning else "note"
            print(f"discosync: {kind}: {problem.text}{where}", file=sys.stderr)
        if len(shown) > _MAX_PROBLEMS:
            rest = len(shown) - _MAX_PROBLEMS
            print(f"discosync: … and {rest} more, see the report", file=sys.stderr)


def _say(words: Callable[[], None], status: ExitStatus) -> ExitStatus:
    """Say something; return the status to end with.

    What was committed is committed: words that cannot be said make an ok run one with a warning,
    not a failure.
    """
    try:
        words()
        sys.stdout.flush()
    except (OSError, KeyboardInterrupt) as exc:
        # Whatever is still buffered would fail again at the very end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(exc, OSError) or isinstance(exc, BrokenPipeError):
            return status  # somebody, `discosync … | head` say, has seen enough
        print(f"discosync: warning: output failed: {exc.strerror}", file=sys.stderr)
        return ExitStatus.OK_WITH_WARNINGS if status is ExitStatus.OK else status
    return status


def _headline(report: RunReport) -> str:
    return f"discosync {report.command} · {report.seller} · {_outcome(report)}"


def _outcome(report: RunReport) -> str:
    what = {
        ExitStatus.OK: "ok",
        ExitStatus.OK_WITH_WARNINGS: "ok, with warnings",
        ExitStatus.CHANGES: "changes",
    }.get(report.exit_status, report.status.value)
    dry = " (dry run: nothing was written)" if report.dry_run else ""
    return f"{what} in {report.duration_seconds:.1f} s{dry}"


def _summary_lines(report: RunReport) -> Iterator[tuple[str, str]]:
    counts, api = report.listings, report.api
    yield "inventory", f"{counts.seen:,} listings seen, {counts.active:,} for sale"
    yield "changes", render_counts(report)
    for row in diff_rows(report.highlights):
        yield "", f"{row.kind}: {row.heading} ({row.what})"
    rest = counts.updated + counts.removed + counts.reactivated - len(report.highlights)
    if rest:
        yield "", f"… and {rest:,} more; --diff table shows them"
    if counts.quarantined:
        yield "set aside", f"{counts.quarantined:,} records that cannot be read"
    yield "source", f"{report.source} ({report.source_reason})"
    if api.requests:
        waited = f", waited {api.throttled_seconds:.0f} s" if api.throttled_seconds >= 1 else ""
        yield "Discogs", f"{api.requests:,} requests, {render_size(api.bytes)}{waited}"
    if report.snapshot is not None and report.snapshot.as_of is not None:
        yield "as of", f"{report.snapshot.as_of:%Y-%m-%d %H:%M:%S} UTC"
    if report.database:
        yield "database", report.database
    if report.advice:
        yield "next", report.advice


def _show_table(report: RunReport) -> None:
    """Show the diff as a table; off a terminal as lines separated by tabs."""
    changes = report.changes or ()
    rows = list(diff_rows(changes))
    if not is_colourful(sys.stdout):
        for row in rows:
            print("\t".join(row))
    elif rows:
        from rich.console import Console as RichConsole  # noqa: PLC0415 - terminals only
        from rich.table import Table  # noqa: PLC0415 - terminals only
        from rich.text import Text  # noqa: PLC0415 - terminals only

        table = Table("change", "listing", "record", "what", box=None, header_style="bold")
        for row in rows:
            kind = Text(row.kind, style=_KIND_COLOURS.get(row.kind, ""))
            table.add_row(kind, row.listing_id, Text(row.heading), Text(row.what))
        RichConsole(highlight=False, markup=False, emoji=False).print(table)
    for line in filter(None, (left_out(changes), render_counts(report), _headline(report))):
        print(line)
