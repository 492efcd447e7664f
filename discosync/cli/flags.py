"""`discosync flags`."""

from typing import Annotated

import typer

from discosync.cli.exit_statuses import READ_STATUSES, exit_statuses
from discosync.cli.flag_words import FlagName, Reason, parse_flag_name, show_event
from discosync.cli.frame import answering
from discosync.cli.groups import add_group
from discosync.cli.options import AsJson, Config, Seller, Yes
from discosync.cli.plain_values import PlainCommand

flags_app = add_group("flags", "Show flags, and switch ways of working on or off.")

_EPILOG = exit_statuses(READ_STATUSES)


@flags_app.command("list", cls=PlainCommand, epilog=_EPILOG)
def list_(
    *,
    seller: Seller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show every flag, and whether a run that began now would use it."""
    from discosync.commands.flags import list_flags  # noqa: PLC0415 - heavy

    with answering(as_json=as_json) as console:
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


@flags_app.command("set", cls=PlainCommand, epilog=_EPILOG)
def set_(
    flag: FlagName,
    to: Annotated[
        str,
        typer.Argument(
            metavar="on|off|N%", help="25% is on for a quarter of the runs; on lifts a rollback."
        ),
    ],
    *,
    reason: Reason = "",
    yes: Yes = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Switch a flag on, off, or on for a share of the runs.

    A share picks runs by seller and UTC hour. On a terminal the comparisons made so far are shown,
    and you are asked, before anything is switched on.
    """
    from discosync.commands.flags import load_evidence, roll_out  # noqa: PLC0415 - heavy

    which, percent = parse_flag_name(flag), _parse_rollout(to)
    with answering(as_json=as_json) as console:
        # Switching off is the safe side, and is done in a hurry: nobody is asked.
        if percent > 0 and not as_json and not yes:
            for line in load_evidence(config, which):
                console.note(line)
            if not console.confirm(f"Set {which.value} to {to}?"):
                raise typer.Exit
        event = roll_out(config, which, percent, reason.strip() or "no reason given")
        show_event(console, event)


@flags_app.command(cls=PlainCommand, epilog=_EPILOG)
def history(
    flag: Annotated[str | None, typer.Argument(metavar="FLAG", help="Show only this flag.")] = None,
    *,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List the changes of all flags, oldest first.

    Each with its time, who made it, the state before and after, the reason and the run.
    """
    from discosync.commands.flags import load_history  # noqa: PLC0415 - heavy

    which = None if flag is None else parse_flag_name(flag)
    with answering(as_json=as_json) as console:
        events = [event.to_json() for event in load_history(config, which)]
        if as_json:
            console.show_json({"events": events})
            return
        names = ("flag", "when", "from", "to", "who", "reason", "run")
        rows = [[event[name] or "–" for name in names] for event in events]
        console.show_table(names, rows)


def _word(value: bool) -> str:  # noqa: FBT001 - a value
    return "on" if value else "off"


def _parse_rollout(text: str) -> int:
    from discosync.core.flags import parse_rollout  # noqa: PLC0415 - only flags need it

    try:
        return parse_rollout(text)
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint="on|off|N%") from exc
