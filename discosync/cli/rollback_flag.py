"""`discosync rollback-flag`."""

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import READ_STATUSES, exit_statuses
from discosync.cli.flag_words import FlagName, Reason, parse_flag_name, show_event
from discosync.cli.frame import answering
from discosync.cli.options import AsJson, Config
from discosync.cli.plain_values import PlainCommand


@app.command("rollback-flag", cls=PlainCommand, epilog=exit_statuses(READ_STATUSES))
def rollback_flag(
    flag: FlagName,
    *,
    reason: Reason,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Switch a flag off at once, for all later runs.

    This wins over the environment. `discosync flags set FLAG on` switches the flag on again.
    """
    from discosync.commands.rollback_flag import roll_back  # noqa: PLC0415 - heavy

    which = parse_flag_name(flag)
    if not reason.strip():
        raise typer.BadParameter(
            "it is empty; say why the flag is switched off", param_hint="--reason"
        )
    with answering(as_json=as_json) as console:
        show_event(console, roll_back(config, which, reason.strip()))
