"""How every command runs and ends: with a run's report, or with an error and its exit status."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from discosync.ending import hurry, settle
from discosync.errors import DiscosyncError, ExitStatus

if TYPE_CHECKING:
    from discosync.console import Console
    from discosync.core.reporting.report import RunReport
    from discosync.database.connection.commits import Commits
    from discosync.runner import Run, RunRequest


def run_once(
    console: "Console", request: "RunRequest", story: "Callable[[Run], None]"
) -> "tuple[RunReport, bool]":
    """Run a story; return its report, and whether a signal asked the process to end."""
    from discosync.runner import Run, execute  # noqa: PLC0415 - heavy

    run = Run(request=request, progress=console.progress(), set_up_logging=console.set_up_logging)
    return execute(run, story), run.signals.is_stop_wanted


def run_and_tell(
    console: "Console",
    request: "RunRequest",
    story: "Callable[[Run], None]",
    *,
    diff: str | None = None,
) -> int:
    """Run a story and print its report; return the status to exit with."""
    report, is_stop_wanted = run_once(console, request, story)
    if is_stop_wanted:
        hurry()
    return int(console.tell(report, diff=diff))


def run_several(
    console: "Console",
    runs: "Iterable[tuple[RunRequest, Callable[[Run], None]]]",
    combine: "Callable[[Sequence[RunReport], DiscosyncError | None], dict[str, Any]]",
    *,
    path: Path | None,
    diff: str | None,
) -> int:
    """Run one story after the other, also after one that failed; return the status to exit with.

    Each has a report of its own, and `combine` makes one of all. A signal ends the command, not
    only the run that is at work, and one that comes between two runs is not lost.
    """
    from discosync.runner import Signals  # noqa: PLC0415 - heavy

    reports: list[RunReport] = []
    stopped: DiscosyncError | None = None
    signals = Signals()
    with signals.listening():
        for request, story in runs:
            if (stopped := signals.missed()) is not None:
                break
            report, is_stop_wanted = run_once(console, request, story)
            reports.append(report)
            if not console.as_json:
                console.tell(report, diff=diff)
            if is_stop_wanted:
                break
        combined = combine(reports, stopped)
        settle(combined["exit_code"])
    if stopped is not None:
        hurry()
        console.show_error(stopped)
    return int(console.tell_combined(combined, path=path))


@contextmanager
def answering(*, as_json: bool) -> "Iterator[Console]":
    """Give a console to a command without a report; an error ends the command.

    A signal ends it too, until it begins to commit something. From then on it comes too late.
    """
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.database.connection.commits import noticing_commits  # noqa: PLC0415 - heavy
    from discosync.runner import Signals, StopRun  # noqa: PLC0415 - heavy

    console, signals, status = Console(as_json=as_json), Signals(), int(ExitStatus.INTERNAL)
    with signals.listening(), noticing_commits(signals.reach_commit) as commits:
        try:
            signals.begin()
            with _ending(console, commits):
                yield console
            status = int(ExitStatus.OK)
        except StopRun as stop:
            console.tell_error(stop.error)
            raise typer.Exit(int(stop.error.exit_status)) from stop
        except typer.Exit as ended:
            status = ended.exit_code
            raise
        finally:
            if commits.has_committed:
                settle(status)


@contextmanager
def _ending(console: "Console", commits: "Commits") -> "Iterator[None]":
    try:
        yield
        sys.stdout.flush()  # else it would fail where nobody could tell why
    except DiscosyncError as exc:
        console.tell_error(exc)
        raise typer.Exit(int(exc.exit_status)) from exc
    except BrokenPipeError:
        console.give_up_output()  # the reader, such as `| head`, has read enough
    except OSError as exc:
        from discosync.files.disk import path_refused  # noqa: PLC0415 - errors only

        if commits.has_committed:  # what was done is done: only telling of it has failed
            console.give_up_output(exc)
            raise typer.Exit(int(ExitStatus.OK_WITH_WARNINGS)) from exc
        # An error that names a path is about a path that the user chose; any other one is a bug.
        if (refused := path_refused(exc)) is None:
            raise
        console.tell_error(refused)
        raise typer.Exit(int(refused.exit_status)) from exc
    for text in commits.warnings:
        console.note(f"discosync: warning: {text}")
    if commits.warnings:
        raise typer.Exit(int(ExitStatus.OK_WITH_WARNINGS))
