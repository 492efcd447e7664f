"""How every command runs and ends: with a run's report, or with an error and its exit status."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from discosync.errors import DiscosyncError, ExitStatus, Interrupted

if TYPE_CHECKING:
    from discosync.console import Console
    from discosync.core.reporting.report import RunReport
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
    from discosync.runner import telling  # noqa: PLC0415 - heavy

    report, _ = run_once(console, request, story)
    # The run is over. A signal may cut short what is printed, but not change how the run ended.
    with telling():
        return int(console.tell(report, diff=diff))


@contextmanager
def answering(*, as_json: bool) -> "Iterator[Console]":
    """Give a console to a command without a report; an error ends the command."""
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    try:
        yield console
    except DiscosyncError as exc:
        console.tell_error(exc)
        raise typer.Exit(int(exc.exit_status)) from exc
    except OSError as exc:
        from discosync.files.disk import path_refused  # noqa: PLC0415 - errors only

        # An error that names a path is about a path that the user chose; any other one is a bug.
        if (refused := path_refused(exc)) is None:
            raise
        console.tell_error(refused)
        raise typer.Exit(int(refused.exit_status)) from exc
    except KeyboardInterrupt as exc:
        # What such a command writes, it writes in one transaction or by renaming a finished file.
        console.tell_error(Interrupted("interrupted", hint="nothing was changed"))
        raise typer.Exit(int(ExitStatus.INTERRUPTED)) from exc
