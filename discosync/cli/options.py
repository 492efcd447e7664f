"""The options that several commands share, one alias each, and how their texts are read."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import timedelta

    from discosync.core.planning.limits import RemovalLimit

Seller = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="The seller's Discogs user name (default: DISCOGS_USERNAME)."
    ),
]
AnySeller = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only this seller (default: all sellers).")
]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings file (default: ./discosync.toml)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write the run's report to this file, as JSON."),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print nothing unless something is wrong.")
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        show_default=False,
        help="Log each phase on stderr; -vv logs each request too.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")]
NoBackup = Annotated[bool, typer.Option("--no-backup", help="Skip the backup.")]
AllowMassChange = Annotated[
    bool,
    typer.Option(
        "--allow-mass-change",
        help=(
            "This run only: allow one field to change in more than half of the listings, the "
            "currency to change, or a mass drift to be mended."
        ),
    ),
]
LockWait = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=0, help="How long to wait for another run to end."),
]
TimeBudget = Annotated[
    float,
    # A week: longer than any run, and still a number that every timer takes.
    typer.Option(metavar="SECONDS", min=0.1, max=604_800, help="End the run after this long."),
]


class DiffForm(StrEnum):
    """What `--diff` understands."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


def refuse_contradictions(contradictions: Mapping[str, bool]) -> None:
    """Refuse a command line whose options contradict each other; the keys name them."""
    for options, is_so in contradictions.items():
        if is_so:
            raise typer.BadParameter(f"{options} makes no sense")


def read_age(text: str, option: str) -> "timedelta":
    """Read an age, such as `180d`, from the command line."""
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
