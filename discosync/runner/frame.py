"""The frame around every command's story: signals, the time budget, and from error to report."""

import logging
from collections.abc import Callable

from discosync.core.reporting.report import RunReport
from discosync.ending import settle
from discosync.errors import DiscosyncError
from discosync.files.disk import path_refused
from discosync.files.reports import save_report
from discosync.runner.run import Run
from discosync.runner.signals import StopRun

_log = logging.getLogger(__name__)


def execute(run: Run, story: Callable[[Run], None]) -> RunReport:
    """Run a command's story; return its report, however it ends, and save it where asked."""
    with run.signals.listening(seconds=run.remaining_seconds()):
        try:
            run.signals.begin()
            error = _end_of(run, story)
            run.signals.end()
        except StopRun as stop:  # it may also come while another error is being looked at
            error = stop.error
        # What a signal cuts short may fail in its turn: that is not how the run ended.
        error = run.signals.stopped_by or error
        run.progress.end()
        # What was committed decides: an error after that changes nothing in the database.
        report = _save(run, run.committed or run.report(error))
        # Before the run stops listening: no moment is left for a signal to change the status.
        settle(report.exit_status)
        return report


def _end_of(run: Run, story: Callable[[Run], None]) -> DiscosyncError | None:
    try:
        story(run)
    except DiscosyncError as exc:
        return exc
    except OSError as exc:
        # A path that somebody named may be at fault, or a disk; anything else is a bug.
        return path_refused(exc) or _bug(exc)
    except Exception as exc:  # noqa: BLE001 - the last line of defence: a bug must end in a report
        return _bug(exc)
    return None


def _bug(exc: Exception) -> DiscosyncError:
    _log.exception("this is a bug in discosync")
    return DiscosyncError(
        f"{type(exc).__name__}: {exc}",
        hint="this is a bug in discosync; please report it with the output of -v",
    )


def _save(run: Run, report: RunReport) -> RunReport:
    # A dry run leaves nothing behind but the file that it was asked for.
    directory = None if run.request.dry_run else run.report_dir
    return save_report(report, path=run.request.report_path, directory=directory)
