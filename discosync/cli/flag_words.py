"""A flag on the command line: its name, and what became of it."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from discosync.console import Console
    from discosync.core.flags import Flag, FlagEvent

FlagName = Annotated[
    str, typer.Argument(metavar="FLAG", help="The flag's name, such as use-csv-export.")
]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; kept in the flag's history.")]


def parse_flag_name(text: str) -> "Flag":
    """Read a flag's name; an unknown one is refused with a list of the known ones."""
    from discosync.core.flags import parse_flag  # noqa: PLC0415 - only flags need it

    try:
        return parse_flag(text)
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint="FLAG") from exc


def show_event(console: "Console", event: "FlagEvent") -> None:
    """Show how a flag was switched."""
    if console.as_json:
        console.show_json(event.to_json())
        return
    console.show_text(
        f"{event.flag}: {event.state_before} → {event.state_after} ({event.reason}), "
        "from the next run on"
    )
