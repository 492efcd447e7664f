"""What people see: results on stdout; progress, warnings and errors on stderr.

No other package imports rich.
"""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discosync.console.log_format import JsonFormatter, TextFormatter
from discosync.console.progress_bars import BarProgress, PlainProgress
from discosync.console.report_view import print_diff, print_problems
from discosync.console.terminal import is_colourful, print_lines, print_table, say
from discosync.core.progress import NoProgress, Progress
from discosync.core.reporting.report import RunReport
from discosync.errors import EXIT_STATUS_MEANINGS, DiscosyncError, ExitStatus
from discosync.files.writing import write_json
from discosync.render.harmless import harmless, harmless_json
from discosync.render.run_summary import headline, summary_lines
from discosync.render.scrubbing import hide_json

if TYPE_CHECKING:
    from discosync.core.reporting.comparison import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """How much to print, and in which form."""

    verbosity: int = 0
    quiet: bool = False
    as_json: bool = False

    def progress(self) -> Progress:
        """Choose how to show progress."""
        if self.quiet:
            return NoProgress()
        # Log lines would cut a bar into pieces.
        if is_colourful(sys.stderr) and not self.verbosity:
            return BarProgress()
        return PlainProgress(sys.stderr)

    def set_up_logging(self, log_format: str) -> None:
        """Send our log to stderr: phases with -v, every request with -vv."""
        levels = (logging.WARNING, logging.INFO, logging.DEBUG)
        handler = logging.StreamHandler(sys.stderr)
        plain = TextFormatter("%(asctime)s %(levelname)s %(message)s")
        handler.setFormatter(JsonFormatter() if log_format == "json" else plain)
        logger = logging.getLogger("discosync")
        logger.handlers[:] = [handler]
        logger.propagate = False  # a handler of the root logger would print each line again
        logger.setLevel(levels[min(self.verbosity, 2)])

    def show_json(self, content: Mapping[str, Any]) -> None:
        """Print one JSON object on one line."""
        # Nothing is escaped for terminals here: programs need every character as it is.
        print(hide_json(json.dumps(content, ensure_ascii=False)))

    def show_readable_json(self, content: Mapping[str, Any]) -> None:
        """Print one JSON object over many lines, for people."""
        print(harmless_json(json.dumps(content, ensure_ascii=False, indent=2)))

    def show_json_list(
        self, head: Mapping[str, Any], key: str, items: Iterable[Mapping[str, Any]]
    ) -> None:
        """Print one JSON object that ends with a long list, without holding the list."""
        opening = json.dumps(head, ensure_ascii=False).removesuffix("}")
        sys.stdout.write(f'{opening}, "{key}": [')
        separator = ""
        for item in items:
            sys.stdout.write(separator + json.dumps(item, ensure_ascii=False))
            separator = ", "
        sys.stdout.write("]}\n")
        sys.stdout.flush()

    def show_pieces(self, pieces: Iterable[str]) -> None:
        """Print a long result for programs, such as CSV, piece by piece and unchanged."""
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()

    def show_text(self, text: str) -> None:
        """Print a result."""
        say(text)
        sys.stdout.flush()

    def show_table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        colours: Mapping[str, str] | None = None,
    ) -> None:
        """Print rows as a table; off a terminal as lines separated by tabs."""
        print_table(columns, rows, colours=colours)

    def show_lines(
        self, headline: str, lines: Sequence[tuple[str, str]], *, is_clean: bool
    ) -> None:
        """Print named lines under a headline."""
        print_lines(headline, lines, is_clean=is_clean)

    def tell_error(self, error: DiscosyncError) -> None:
        """Print the error of a command that has no report; with `as_json` on stdout too."""
        if self.as_json:
            status = int(error.exit_status)
            said = {"code": error.code, "message": error.message, "hint": error.hint}
            self.show_json({"exit_code": status, "error": said})
        self.show_error(error)

    def note(self, text: str) -> None:
        """Print a remark on stderr, beside the result."""
        say(text, sys.stderr)

    def give_up_output(self, because: OSError | None = None) -> None:
        """Write no more on stdout, and warn unless its reader just went away."""
        _give_up_output(because)

    def confirm(self, question: str) -> bool:
        """Ask for a yes on the terminal; without a terminal nobody can answer, so it is yes."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return True
        print(f"{harmless(question)} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().casefold() in {"y", "yes"}

    def show_fields(self, fields: Mapping[str, str | None]) -> None:
        """Print named values, a line each."""
        if self.as_json:
            self.show_json(fields)
            return
        for name, value in fields.items():
            say(f"{name:<10} {value or '–'}")

    def show_error(self, error: DiscosyncError) -> None:
        """Print what happened, what to do about it, and the exit status."""
        status = error.exit_status
        say(f"discosync: {error.message}", sys.stderr)
        if error.hint:
            say(f"  → {error.hint}", sys.stderr)
        say(f"  exit status {int(status)} ({EXIT_STATUS_MEANINGS[status]})", sys.stderr)

    def tell(self, report: RunReport, *, diff: str | None = None) -> ExitStatus:
        """Print a run's report; return the status to exit with."""
        return _say(lambda: self.show_report(report, diff=diff), report.exit_status)

    def tell_combined(self, combined: Mapping[str, Any], *, path: Path | None) -> ExitStatus:
        """Print several runs' reports, write them to `path`; return the status to exit with."""
        status = ExitStatus(combined["exit_code"])
        if path is not None:
            status = _say(lambda: write_json(combined, path), status)
        return _say(lambda: self.show_json(combined), status) if self.as_json else status

    def show_report(self, report: RunReport, *, diff: str | None = None) -> None:
        """Print a run's report in the form that was asked for, then its problems and its error."""
        if self.as_json:
            self.show_json(report.to_json())
        elif report.findings.comparison is not None:
            self._show_comparison(report, report.findings.comparison, diff)
        elif diff in {"json", "markdown"} or (diff is not None and report.has_plan):
            self._show_diff(report, str(diff))
        elif not self.quiet and report.error is None:
            is_clean = report.exit_status is ExitStatus.OK
            print_lines(headline(report), list(summary_lines(report)), is_clean=is_clean)
        print_problems(report.findings.problems, quiet=self.quiet)
        if report.error is not None:
            self.show_error(report.error)

    def _show_comparison(
        self, report: RunReport, comparison: "Comparison", diff: str | None
    ) -> None:
        if diff == "json":
            self.show_json(report.to_json())
        elif diff == "markdown":
            from discosync.render.comparison import (  # noqa: PLC0415 - comparisons only
                render_comparison_markdown,
            )

            markdown = render_comparison_markdown(comparison, seller=str(report.findings.seller))
            say(markdown.removesuffix("\n"))
        elif not self.quiet:
            from discosync.console.comparison_view import (  # noqa: PLC0415 - comparisons only
                print_comparison,
            )

            print_comparison(comparison)

    def _show_diff(self, report: RunReport, diff: str) -> None:
        if diff == "json":
            self.show_json(report.to_json())
        elif diff == "markdown":
            from discosync.render.diff import render_markdown  # noqa: PLC0415 - where asked for

            say(render_markdown(report).removesuffix("\n"))
        else:
            print_diff(report)


def _say(words: Callable[[], None], status: ExitStatus) -> ExitStatus:
    """Print; return the status to exit with.

    Output that fails cannot undo a commit. So a run that was ok then ends with a warning, and is no
    failure.
    """
    try:
        words()
        sys.stdout.flush()
    except (OSError, KeyboardInterrupt) as exc:
        if not isinstance(exc, OSError) or isinstance(exc, BrokenPipeError):
            _give_up_output()
            return status  # the reader, such as `| head`, has read enough
        _give_up_output(exc)
        return ExitStatus.OK_WITH_WARNINGS if status is ExitStatus.OK else status
    return status


def _give_up_output(because: OSError | None = None) -> None:
    # Python flushes stdout once more when it exits, and that would fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if because is not None:
        print(f"discosync: warning: output failed: {because.strerror}", file=sys.stderr)
