"""`discosync status`."""

from typing import Annotated

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import READ_STATUSES, exit_statuses
from discosync.cli.frame import answering
from discosync.cli.options import AsJson, Config, Seller, read_age
from discosync.cli.plain_values import PlainCommand
from discosync.errors import ExitStatus, LimitRefused


@app.command(cls=PlainCommand, epilog=exit_statuses(READ_STATUSES | {ExitStatus.LIMIT}))
def status(
    *,
    seller: Seller = None,
    max_age: Annotated[
        str,
        typer.Option(
            metavar="AGE", help="Exit with 13 if the last successful sync is older than this."
        ),
    ] = "3h",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show how fresh the mirror is, and what it holds.

    For monitoring: it exits with 13 when the last successful sync is too old.
    """
    from discosync.commands.status import load_status  # noqa: PLC0415 - heavy
    from discosync.render.lateness import (  # noqa: PLC0415 - heavy
        render_lateness,
        render_way_to_fresh,
    )
    from discosync.render.status import status_lines  # noqa: PLC0415 - heavy

    with answering(as_json=as_json) as console:
        stands = load_status(config, seller=seller, max_age=read_age(max_age, "--max-age"))
        if as_json:
            console.show_json(stands.to_json())
        else:
            is_clean = not (stands.is_late or stands.is_too_old_to_show)
            word = "late" if stands.is_late else "ok" if is_clean else "too old to show"
            headline = f"discosync · {stands.seller} · {word}"
            console.show_lines(headline, list(status_lines(stands)), is_clean=is_clean)
    # The status is printed first: whoever is alarmed by the 13 wants to see it.
    if stands.is_late:
        console.show_error(
            LimitRefused(render_lateness(stands), hint=render_way_to_fresh(stands, config))
        )
        raise typer.Exit(int(ExitStatus.LIMIT))
    if stands.is_too_old_to_show:
        console.note(
            "discosync: warning: Discogs' terms do not allow showing an inventory that is, or may "
            "be, more than six hours old"
        )
