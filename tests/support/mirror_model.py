"""What the database should hold, in a few lines; and what it holds, to compare.

The state machine (tests/stories/test_machine.py) and the soak (benchmarks/soak.py) use it.
"""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from html import unescape
from typing import Any, NamedTuple

from discosync.core.inventory.listing import Listing, removal_reason
from tests.support.program import Program

_CENT = Decimal("0.01")


class Row(NamedTuple):
    """What the shop reads of a listing. `reason` is None for a listing that is for sale."""

    status: str
    price: Decimal
    comments: str
    reason: str | None


def row_of(listing: Listing) -> Row:
    """Give the row that a listing becomes."""
    reason = None if listing.is_for_sale else removal_reason(listing.status)
    return Row(listing.status, listing.price_value.quantize(_CENT), listing.comments or "", reason)


@dataclass(slots=True)
class Model:
    """The rows, and what is needed to know how they come back.

    `last_sale` is the content that an inactive listing had when it was last for sale.
    """

    rows: dict[int, Row] = field(default_factory=dict)
    last_sale: dict[int, Row] = field(default_factory=dict)
    purged: set[int] = field(default_factory=set)

    def put(self, listing_id: int, row: Row) -> None:
        """Write one row."""
        before = self.rows.get(listing_id)
        if before is not None and before.reason is None and row.reason is not None:
            self.last_sale[listing_id] = before
        self.rows[listing_id] = row

    def sync(self, shown: list[Listing], there: dict[int, Listing], *, answers: bool) -> bool:
        """Apply a snapshot; `there` is what Discogs has, and it `answers` when it is asked.

        Returns whether a listing stays for sale although the snapshot lacks it.
        """
        seen = {x.listing_id for x in shown}
        missing = [i for i, row in self.rows.items() if row.reason is None and i not in seen]
        is_incomplete = answers and any(i in there and there[i].is_for_sale for i in missing)
        for listing in shown:
            if listing.is_for_sale or listing.listing_id not in self.purged:
                self.purged.discard(listing.listing_id)
                self.put(listing.listing_id, row_of(listing))
        for listing_id in missing if answers else []:
            row = self.rows[listing_id]
            if listing_id not in there and not is_incomplete:
                self.put(listing_id, row._replace(reason="missing"))
            elif listing_id in there and not there[listing_id].is_for_sale:
                status = there[listing_id].status
                self.put(listing_id, row._replace(status=status, reason=removal_reason(status)))
        return is_incomplete or (bool(missing) and not answers)

    def purge(self, listing_ids: set[int]) -> dict[int, Row]:
        """Delete rows; return them."""
        gone = {listing_id: self.rows.pop(listing_id) for listing_id in listing_ids}
        for listing_id in gone:
            self.last_sale.pop(listing_id, None)
        self.purged |= gone.keys()
        return gone


def counts_between(before: Model, after: Model) -> dict[str, int]:
    """Give the counts of a report, as the model has them."""
    known = before.rows
    both = [(known[i].reason, row.reason) for i, row in after.rows.items() if i in known]
    return {
        "added": len(after.rows.keys() - known.keys()),
        "removed": sum(old is None and new is not None for old, new in both),
        "reactivated": sum(old is not None and new is None for old, new in both),
        "active": sum(row.reason is None for row in after.rows.values()),
    }


def read_rows(program: Program) -> dict[int, Row]:
    """Read the rows as a shop would."""
    statement = (
        "SELECT listing_id, status, price_value, comments, removal_reason, is_active FROM listings"
    )
    found = program.query(statement)
    assert all(bool(x["is_active"]) == (x["removal_reason"] is None) for x in found)
    return {
        int(x["listing_id"]): Row(
            x["status"],
            Decimal(str(x["price_value"])).quantize(_CENT),
            unescape(x["comments"] or ""),  # the pages write quotes as entities
            x["removal_reason"],
        )
        for x in found
    }


def different_rows(found: dict[int, Row], expected: dict[int, Row]) -> str:
    """Name the first five that differ; "" when all are alike."""
    differ = [i for i in sorted(found.keys() | expected.keys()) if found.get(i) != expected.get(i)]
    return "; ".join(f"{i}: {found.get(i)}, not {expected.get(i)}" for i in differ[:5])


def follow_history(program: Program, rows: dict[int, Row]) -> None:
    """Fail unless each change begins where the one before it ended, and the last one is the row's.

    Merged changes (`db compact`) are followed as well: the first and the last value stay true.
    """
    lives: dict[int, dict[str, Any]] = {}
    for change in program.query("SELECT * FROM listing_changes ORDER BY id"):
        listing_id, told = int(change["listing_id"]), change["fields"]
        by_name = json.loads(told) if isinstance(told, str) else told or {}
        life = {} if change["kind"] == "added" else lives.get(listing_id, {})
        lives[listing_id] = life
        for name, (before, after) in by_name.items():
            # A test that purges young listings has to put their removal back.
            if name not in life or name == "removed_at":
                life[name] = before
            assert life[name] == before, (listing_id, change["kind"], name, life[name], before)
            life[name] = after
    for listing_id, life in lives.items():
        if (row := rows.get(listing_id)) is not None:
            assert Decimal(str(life.get("price_value", row.price))) == row.price
            assert life.get("status", row.status) == row.status
            assert life.get("is_active", row.reason is None) is (row.reason is None)
