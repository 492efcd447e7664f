"""The end of every command's help."""

from discosync.cli.exit_statuses import READ_STATUSES, RUN_STATUSES, exit_statuses
from discosync.errors import ExitStatus


def test_statuses_stand_in_order_one_a_line() -> None:
    """Numbers are aligned, and Typer must not join the lines."""
    assert exit_statuses({ExitStatus.INTERRUPTED, ExitStatus.OK}) == (
        "\b\nExit statuses:\n  0  ok, or nothing to do\n130  interrupted (Ctrl-C)"
    )


def test_a_run_may_end_as_a_reading_command_may() -> None:
    """And in a few ways more: it takes a lock, has a time budget, and may warn."""
    assert RUN_STATUSES > READ_STATUSES
