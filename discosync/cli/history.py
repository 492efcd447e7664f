"""`discosync history`."""

from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import READ_STATUSES, exit_statuses
from discosync.cli.frame import answering
from discosync.cli.options import AsJson, Config, Seller
from discosync.cli.plain_values import PlainCommand

if TYPE_CHECKING:
    from discosync.commands.history import Life
    from discosync.console import Console


@app.command(cls=PlainCommand, epilog=exit_statuses(READ_STATUSES))
def history(
    listing_id: Annotated[
        int, typer.Argument(metavar="LISTING_ID", min=1, help="The listing's number at Discogs.")
    ],
    *,
    seller: Seller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show every change of one listing, run by run."""
    from discosync.commands.history import load_life  # noqa: PLC0415 - heavy

    with answering(as_json=as_json) as console:
        life = load_life(config, listing_id, seller=seller)
        if as_json:
            console.show_json(life.to_json())
        else:
            _show_life(console, life)


def _show_life(console: "Console", life: "Life") -> None:
    from discosync.console.terminal import KIND_COLOURS  # noqa: PLC0415 - heavy
    from discosync.render.history import life_rows, render_now  # noqa: PLC0415 - heavy

    console.show_text(render_now(life.listing_id, life.now, life.purged, life.changes))
    console.show_table(
        ("what", "when (UTC)", "run", "field", "before", "after"),
        list(life_rows(life.changes)),
        colours=KIND_COLOURS,
    )
    if not life.changes and life.purged is None:
        console.note("nothing has changed since the first sync saw it")
