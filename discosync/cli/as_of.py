"""`discosync as-of`."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import READ_STATUSES, exit_statuses
from discosync.cli.frame import answering
from discosync.cli.options import AsJson, Config, Seller, refuse_contradictions
from discosync.cli.plain_values import PlainCommand

if TYPE_CHECKING:
    from discosync.commands.as_of import PastInventory
    from discosync.console import Console


@app.command("as-of", cls=PlainCommand, epilog=exit_statuses(READ_STATUSES))
def as_of(
    time: Annotated[
        str,
        typer.Argument(
            metavar="TIME",
            help="A moment (2026-11-20, 2026-11-20T14:00, UTC) or an age (3h, 180d).",
        ),
    ],
    *,
    inactive: Annotated[
        bool, typer.Option("--all", help="Show listings too that were not for sale then.")
    ] = False,
    as_csv: Annotated[
        bool,
        typer.Option("--csv", help="Print a CSV export, which `sync --from-file` can read."),
    ] = False,
    seller: Seller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show the inventory as it was at a past moment."""
    from discosync.commands.as_of import inventory_at  # noqa: PLC0415 - heavy
    from discosync.render.past_csv import render_past_csv  # noqa: PLC0415 - heavy

    refuse_contradictions({"--json with --csv": as_json and as_csv})
    with (
        answering(as_json=as_json) as console,
        inventory_at(config, time, seller=seller, with_inactive=inactive) as past,
    ):
        if as_csv:
            console.show_pieces(render_past_csv(past.listings))
        elif as_json:
            moment = past.as_of.isoformat().replace("+00:00", "Z")
            head = {"as_of": moment, "seller": past.seller}
            console.show_json_list(head, "listings", past.listings)
        else:
            _show_inventory(console, past)


def _show_inventory(console: "Console", past: "PastInventory") -> None:
    from discosync.render.cells import MAX_SHOWN  # noqa: PLC0415 - heavy
    from discosync.render.past_inventory import PAST_COLUMNS, past_row  # noqa: PLC0415 - heavy

    # An inventory may be large: only the rows that are shown are kept, the others are counted.
    shown = [past_row(listing) for listing in islice(past.listings, MAX_SHOWN)]
    rest = sum(1 for _ in past.listings)
    console.show_table(PAST_COLUMNS, shown)
    count = f"{len(shown) + rest:,} listings of {past.seller} as of {past.as_of:%Y-%m-%d %H:%M:%S}"
    more = f"; {rest:,} are not shown here: --csv or --json shows all" if rest else ""
    console.note(f"{count} UTC{more}")
