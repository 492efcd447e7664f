"""`discosync history` and `discosync as-of`."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.frame import telling_errors
from discosync.cli.options import AsJson, Config, Seller, exit_statuses
from discosync.errors import ExitStatus

if TYPE_CHECKING:
    from discosync.commands.past import Life, PastInventory
    from discosync.console import Console

EPILOG = exit_statuses(
    ExitStatus.OK,
    ExitStatus.INTERNAL,
    ExitStatus.USAGE,
    ExitStatus.NOT_READY,
    ExitStatus.STORAGE,
    ExitStatus.INTERRUPTED,
)


@app.command(epilog=EPILOG)
def history(
    listing_id: Annotated[int, typer.Argument(metavar="LISTING_ID", min=1)],
    *,
    seller: Seller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Tell one listing's life, run by run: what changed, from what to what."""
    from discosync.commands.past import load_life  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    with telling_errors(console):
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
        console.note("nothing has changed since discosync knows it")


@app.command("as-of", epilog=EPILOG)
def as_of(
    time: Annotated[
        str, typer.Argument(metavar="TIME", help="2026-11-20, 2026-11-20T14:00, 3h, 180d …")
    ],
    *,
    inactive: Annotated[
        bool, typer.Option("--all", help="What was known but not for sale, too.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print it as an export, to sync or compare.")
    ] = False,
    seller: Seller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show the inventory as it stood at a past moment."""
    from discosync.commands.past import inventory_at  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.render.past_csv import render_past_csv  # noqa: PLC0415 - heavy

    if as_json and as_csv:
        raise typer.BadParameter("--json with --csv makes no sense")
    console = Console(as_json=as_json)
    with (
        telling_errors(console),
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
    from discosync.render.diff import MAX_SHOWN  # noqa: PLC0415 - heavy
    from discosync.render.history import PAST_COLUMNS, past_row  # noqa: PLC0415 - heavy

    shown = [past_row(listing) for listing in islice(past.listings, MAX_SHOWN)]
    rest = sum(1 for _ in past.listings)
    console.show_table(PAST_COLUMNS, shown)
    count = f"{len(shown) + rest:,} listings of {past.seller} as of {past.as_of:%Y-%m-%d %H:%M:%S}"
    more = f"; {rest:,} are not shown here: --csv or --json" if rest else ""
    console.note(f"{count} UTC{more}")
