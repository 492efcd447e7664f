"""`discosync history`: what is known of one listing, and what nobody knows."""

from dataclasses import replace

from discosync.core.inventory.listing import Listing
from tests.support.program import Program, Result
from tests.support.shop import FIRST_ID, SELLER, make_shop, write_export


def _sync(program: Program, shop: list[Listing], *options: str) -> Result:
    path = write_export(program.directory / "shop.csv", shop)
    return program("sync", "--from-file", str(path), "--seller", SELLER, *options, stdin=None)


def test_since_when_a_first_seen_listing_is_gone_nobody_knows(program: Program) -> None:
    """What was sold at the first sight is not said to be sold since then."""
    first = [replace(x, status="Sold") if i == 0 else x for i, x in enumerate(make_shop(9))]
    sold = [replace(x, status="Sold") if i < 2 else x for i, x in enumerate(first)]
    then = [replace(x, comments="corrected") if i == 0 else x for i, x in enumerate(sold)]
    assert _sync(program, first).exit_code == 0
    assert _sync(program, then).exit_code == 0
    assert "(sold) already at 20" in program("history", str(FIRST_ID)).stdout
    assert "(sold) since 20" in program("history", str(FIRST_ID + 1)).stdout


def test_a_listing_that_somebody_deleted_is_told_to_be(program: Program) -> None:
    """Its history is there, its row is not: discosync deletes none."""
    assert _sync(program, make_shop(3)).exit_code == 0
    program.query("DELETE FROM listings WHERE listing_id = :id", id=str(FIRST_ID))
    assert "another program must have deleted it" in program("history", str(FIRST_ID)).stdout
