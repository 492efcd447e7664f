"""The options that several commands share, one alias each, and their help's last lines."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.errors import EXIT_STATUS_MEANINGS, ExitStatus

if TYPE_CHECKING:
    from datetime import timedelta

    from discosync.core.planning.limits import RemovalLimit

Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file instead of ./discosync.toml.")
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        show_default=False,
        help="Log phases; twice: every request.",
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing unless something is wrong.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON on stdout.")]
Report = Annotated[Path | None, typer.Option("--report", help="Write the JSON report here.")]


Seller = Annotated[str | None, typer.Option(metavar="NAME", help="The seller's Discogs user name.")]
LockWait = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=0, show_default=False, help="Wait for another run to end (0)."
    ),
]
TimeBudget = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0.1,
        max=604_800,
        show_default=False,
        help="End the run after this long (2700).",
    ),
]


class DiffForm(StrEnum):
    """What `--diff` understands."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


GROUP_EPILOG = "\b\nExit statuses: 0 is ok; each command's own help lists the others."


def exit_statuses(*statuses: ExitStatus) -> str:
    """Write the end of a command's help."""
    lines = [f"{int(s):>3}  {EXIT_STATUS_MEANINGS[s]}" for s in statuses]
    return "\b\nExit statuses:\n" + "\n".join(lines)


def read_age(text: str, option: str) -> "timedelta":
    """Read an age from the command line."""
    from discosync.core.moments import parse_age  # noqa: PLC0415 - heavy

    try:
        return parse_age(text)
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint=option) from exc


def read_limit(text: str | None, option: str) -> "RemovalLimit | None":
    """Read `N` or `N%` from the command line."""
    from discosync.core.planning.limits import parse_removal_limit  # noqa: PLC0415 - heavy

    try:
        return None if text is None else parse_removal_limit(text)
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint=option) from exc
