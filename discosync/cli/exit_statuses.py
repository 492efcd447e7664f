"""The exit statuses that stand at the end of every command's help."""

from collections.abc import Set as AbstractSet

from discosync.errors import EXIT_STATUS_MEANINGS, ExitStatus

READ_STATUSES = frozenset(
    {
        ExitStatus.OK,
        ExitStatus.INTERNAL,
        ExitStatus.USAGE,
        ExitStatus.NOT_READY,
        ExitStatus.STORAGE,
        ExitStatus.INTERRUPTED,
    }
)
"""How a command ends that only reads the database."""

RUN_STATUSES = READ_STATUSES | {
    ExitStatus.OK_WITH_WARNINGS,
    ExitStatus.LOCKED,
    ExitStatus.TIME_BUDGET,
    ExitStatus.TERMINATED,
}
"""How every run ends that writes a report; each command adds its own."""

GROUP_EPILOG = "\b\nExit statuses: 0 is ok; each command's own help lists the others."


def exit_statuses(statuses: AbstractSet[ExitStatus]) -> str:
    """Render the end of a command's help: one status a line."""
    lines = [f"{int(s):>3}  {EXIT_STATUS_MEANINGS[s]}" for s in sorted(statuses)]
    return "\b\nExit statuses:\n" + "\n".join(lines)
