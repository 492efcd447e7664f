"""The frame: whatever ends a story, there is a report of it, saved where it belongs."""

import json
import signal
from pathlib import Path

import pytest

from discosync.core.progress import NoProgress
from discosync.errors import ExitStatus, NotReady
from discosync.runner import Run, RunRequest, execute


def _run(**options: object) -> Run:
    request = RunRequest(command="sync", **options)  # type: ignore[arg-type]
    return Run(request=request, progress=NoProgress())


def _not_ready(_run: Run) -> None:
    raise NotReady("no token", hint="set one", code="no_token")


def _bug(_run: Run) -> None:
    raise KeyError("nobody foresaw this")


def _missing_file(_run: Run) -> None:
    Path("/nonexistent/export.csv").read_text(encoding="utf-8")


def _terminated(_run: Run) -> None:
    signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("story", "status"),
    [
        (lambda _run: None, ExitStatus.OK),
        (_not_ready, ExitStatus.NOT_READY),
        (_bug, ExitStatus.INTERNAL),
        (_terminated, ExitStatus.TERMINATED),
    ],
)
def test_every_end_of_a_story_is_reported(story: object, status: ExitStatus) -> None:
    """An error of ours keeps its status, a signal has one, and all else is a bug."""
    assert execute(_run(), story).exit_status is status  # type: ignore[arg-type]


def test_path_that_cannot_be_read_is_no_bug() -> None:
    """An error of the system about a path is the caller's to correct."""
    report = execute(_run(), _missing_file)

    assert report.error is not None
    assert report.exit_status is not ExitStatus.INTERNAL


def test_commit_decides_how_a_run_ends() -> None:
    """A signal after the commit does not make a committed run a failed one."""

    def story(run: Run) -> None:
        run.signals.reach_commit()
        run.committed = run.report()
        signal.raise_signal(signal.SIGTERM)

    assert execute(_run(), story).exit_status is ExitStatus.OK


@pytest.mark.parametrize(("dry_run", "kept"), [(False, 1), (True, 0)])
def test_report_is_kept_among_the_others_unless_it_is_a_dry_run(
    tmp_path: Path, *, dry_run: bool, kept: int
) -> None:
    """A dry run leaves no report beside the database; one that failed does."""

    def story(run: Run) -> None:
        run.report_dir = tmp_path / "reports"
        _not_ready(run)

    execute(_run(dry_run=dry_run), story)

    assert len(list(tmp_path.glob("reports/*.json"))) == kept


def test_report_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    """`--report` gets its file even from a run that failed at once."""
    path = tmp_path / "report.json"

    execute(_run(dry_run=True, report_path=path), _not_ready)

    assert json.loads(path.read_text(encoding="utf-8"))["error"]["code"] == "no_token"
