"""`discosync flags` and `discosync rollback-flag`."""

from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.frame import telling_errors
from discosync.cli.options import GROUP_EPILOG, AsJson, Config, Seller, Yes, exit_statuses
from discosync.cli.plain_values import PlainGroup
from discosync.errors import ExitStatus

if TYPE_CHECKING:
    from discosync.console import Console
    from discosync.core.flags import Flag, FlagEvent

flags_app = typer.Typer(
    cls=PlainGroup,
    help="Switches for new ways of working: look at them, roll them out.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=GROUP_EPILOG,
    pretty_exceptions_enable=False,
)
app.add_typer(flags_app, name="flags")

_EPILOG = exit_statuses(
    ExitStatus.OK,
    ExitStatus.INTERNAL,
    ExitStatus.USAGE,
    ExitStatus.NOT_READY,
    ExitStatus.STORAGE,
    ExitStatus.INTERRUPTED,
)

FlagName = Annotated[str, typer.Argument(metavar="FLAG", help="Such as use-csv-export.")]


@flags_app.command("list", epilog=_EPILOG)
def list_(
    *,
    seller: Seller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say where every flag stands, and which side a run that began now would be on."""
    from discosync.commands.flags import list_flags  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    with telling_errors(console):
        standings = list_flags(config, seller=seller)
        if as_json:
            console.show_json({"flags": [standing.to_json() for standing in standings]})
            return
        console.show_table(
            ("now", "flag", "in the database", "configured", "why"),
            [
                (
                    _word(s.value),
                    s.flag.value,
                    s.state,
                    f"{_word(s.configured)} ({s.origin})",
                    s.why,
                )
                for s in standings
            ],
            colours={"on": "green", "off": "yellow"},
        )


@flags_app.command("set", epilog=_EPILOG)
def set_(
    flag: FlagName,
    to: Annotated[str, typer.Argument(metavar="on|off|N%", help="Lifts a rollback, too.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "",
    yes: Yes = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Switch a flag on, off, or on for a share of runs, by seller and UTC hour.

    On a terminal the comparisons made so far are shown before anything is switched on.
    """
    from discosync.commands.flags import load_evidence, roll_out  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    which, percent = _parse_flag(flag), _parse_rollout(to)
    console = Console(as_json=as_json)
    with telling_errors(console):
        if percent > 0 and not as_json and not yes:
            for line in load_evidence(config, which):
                console.note(line)
            if not console.confirm(f"Set {which.value} to {to}?"):
                raise typer.Exit
        event = roll_out(config, which, percent, reason.strip() or "no reason given")
        _show_event(console, event)


@flags_app.command(epilog=_EPILOG)
def history(
    flag: Annotated[str | None, typer.Argument(metavar="[FLAG]", help="Only this one.")] = None,
    *,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List every change of the flags, oldest first: who, when, from, to, reason, run."""
    from discosync.commands.flags import load_history  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    which = None if flag is None else _parse_flag(flag)
    console = Console(as_json=as_json)
    with telling_errors(console):
        events = [event.to_json() for event in load_history(config, which)]
        if as_json:
            console.show_json({"events": events})
            return
        names = ("flag", "when", "from", "to", "who", "reason", "run")
        rows = [[event[name] or "–" for name in names] for event in events]
        console.show_table(names, rows)


@app.command("rollback-flag", epilog=_EPILOG)
def rollback_flag(
    flag: FlagName,
    *,
    reason: Annotated[str, typer.Option(help="Why; somebody will read it tomorrow.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Switch a flag off at once, for every later run, whatever the environment says.

    `discosync flags set FLAG on` lifts it.
    """
    from discosync.commands.flags import roll_back  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    which = _parse_flag(flag)
    if not reason.strip():
        raise typer.BadParameter("it is empty; say why", param_hint="--reason")
    console = Console(as_json=as_json)
    with telling_errors(console):
        _show_event(console, roll_back(config, which, reason.strip()))


def _word(value: bool) -> str:  # noqa: FBT001 - a value
    return "on" if value else "off"


def _parse_flag(text: str) -> "Flag":
    from discosync.core.flags import parse_flag  # noqa: PLC0415 - only flags need it

    try:
        return parse_flag(text)
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint="FLAG") from exc


def _parse_rollout(text: str) -> int:
    from discosync.core.flags import parse_rollout  # noqa: PLC0415 - only flags need it

    try:
        return parse_rollout(text)
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint="on|off|N%") from exc


def _show_event(console: "Console", event: "FlagEvent") -> None:
    if console.as_json:
        console.show_json(event.to_json())
        return
    console.show_text(
        f"{event.flag}: {event.state_before} → {event.state_after} ({event.reason}), "
        "from the next run on"
    )
