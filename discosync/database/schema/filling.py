"""Fill in what discosync adds to an old shop's listings, by what the shop itself knew of them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from discosync.core.inventory.listing import CONTENT_FIELDS, content_hash_of_row
from discosync.core.planning.adoption import Doubt, decide_lifecycle, read_own_state, read_yes_no
from discosync.core.planning.changes import Lifecycle
from discosync.database.connection.bulk import Assignments, Row, bulk_writer
from discosync.database.connection.session import Session
from discosync.database.connection.values import naive, read_field, read_moment
from discosync.database.rows.listing_rows import PRIMARY_COLUMNS, primary_values
from discosync.database.schema.own_columns import OwnColumn
from discosync.database.schema.own_names import OwnNames

_ROWS_PER_BATCH = 5_000
_OFFER = ("quantity", "accept_offer")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRule:
    """A `primary_…` column that the shop filled by another rule, in how many listings; one."""

    column: str
    listings: int
    listing_id: str
    own: str
    ours: str


@dataclass(slots=True, kw_only=True)
class Adopted:
    """What was taken over: listings, how many of them are for sale, and what was decided."""

    listings: int = 0
    active: int = 0
    own: OwnNames = field(default_factory=OwnNames)
    doubts: Counter[Doubt] = field(default_factory=Counter)
    examples: dict[Doubt, str] = field(default_factory=dict)
    other_rules: dict[str, OtherRule] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)
    stale_views: list[str] = field(default_factory=list)


def find_copies(session: Session, columns: Sequence[OwnColumn], *, now: datetime) -> set[str]:
    """Find the columns that stay in place, and in which some value will be replaced."""
    staying = frozenset(column.name for column in columns if column.stays)
    own = OwnNames(
        columns={column.name: column.name for column in columns if not column.stays},
        staying=staying,
    )
    copied: set[str] = set()
    for batch in _read_batches(session, own):
        for row in batch:
            if staying == copied:
                return copied
            stored = row.stored
            new = _decide(row, now=now)[0]
            copied |= {
                name
                for name in staying
                if name == "content_hash" or not _is_same(new[name], stored[name])
            }
    return copied


def fill_in(
    session: Session, own: OwnNames, *, seller: str, now: datetime, with_lifecycle: bool
) -> Adopted:
    """Give every row its seller, its content hash and, where asked, whether it is for sale."""
    adopted, writer = Adopted(own=own), bulk_writer(session)
    decided = [*(Lifecycle._fields if with_lifecycle else ())]
    decided += [name for name in _OFFER if own.source(name)]
    set_columns = ("seller", "content_hash", *decided)
    assignments = Assignments(set_columns=set_columns, keys=("id",))
    for batch in _read_batches(session, own):
        rows: list[Row] = []
        for row in batch:
            values, doubt = _decide(row, now=now)
            content = {**row.content, **{name: values[name] for name in _OFFER}}
            state = [_kept(values[name], row.stored.get(name)) for name in decided]
            rows.append((seller, content_hash_of_row(content), *state, row.key))
            _note_doubt(adopted, row, doubt if with_lifecycle else None)
            _note_rules(adopted, row)
        adopted.listings += writer.update("listings", assignments, rows)
    adopted.active = int(session.value("SELECT count(*) FROM listings WHERE is_active"))
    return adopted


@dataclass(frozen=True, slots=True)
class _StoredRow:
    """A row of the old shop: its content, what the shop's own columns hold, its primary names."""

    key: int
    listing_id: str
    content: Mapping[str, Any]
    stored: Mapping[str, Any]
    primary: Row


def _read_batches(session: Session, own: OwnNames) -> Iterator[list[_StoredRow]]:
    """Read all rows in the order of their keys, a few thousand at a time."""
    sources = {
        name: source
        for name in (*Lifecycle._fields, *_OFFER, "content_hash")
        if (source := own.source(name))
    }
    content = [name for name in CONTENT_FIELDS if name not in _OFFER]
    shown = ["id", "listing_id", *PRIMARY_COLUMNS, *content, *sources.values()]
    after = None
    while True:
        rest = "" if after is None else "WHERE id > :after"
        batch = session.execute(
            f"SELECT {', '.join(shown)} FROM listings {rest} "  # noqa: S608 - our own names
            f"ORDER BY id LIMIT {_ROWS_PER_BATCH}",
            **({} if after is None else {"after": after}),
        ).fetchall()
        if not batch:
            return
        yield [_stored_row(row, content, list(sources)) for row in batch]
        after = batch[-1][0]


def _stored_row(row: Sequence[Any], content: list[str], own: list[str]) -> _StoredRow:
    key, listing_id, *values = row
    primary, values = values[: len(PRIMARY_COLUMNS)], values[len(PRIMARY_COLUMNS) :]
    pairs = zip(content, values, strict=False)
    return _StoredRow(
        key=key,
        listing_id=str(listing_id),
        content={name: read_field(name, value) for name, value in pairs},
        stored=dict(zip(own, values[len(content) :], strict=True)),
        primary=primary,
    )


def _decide(row: _StoredRow, *, now: datetime) -> tuple[dict[str, Any], Doubt | None]:
    """Decide the values of all columns that the shop may have had itself."""
    lifecycle, doubt = decide_lifecycle(row.content["status"], read_own_state(row.stored), now=now)
    return {
        **lifecycle._asdict(),
        "quantity": _read_count(row.stored.get("quantity")),
        "accept_offer": _read_offer(row.stored.get("accept_offer")),
        "content_hash": None,
    }, doubt


def _read_count(value: object) -> int | None:
    text = str(value).strip().removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _read_offer(value: object) -> bool | None:
    try:
        return read_yes_no(value)
    except ValueError:
        return None


def _is_same(new: object, stored: object) -> bool:
    """Whether a column holds a value already, in a form in which it is read and compared."""
    if isinstance(new, datetime):
        if isinstance(stored, str) and not _STAMP.fullmatch(stored):
            return False
        return isinstance(stored, str | datetime) and read_moment(stored) == new
    return type(stored) is not str and new == stored if not isinstance(new, str) else new == stored


def _kept(new: object, stored: object) -> object:
    """Give what a column will hold: the old value to the letter, where it says the same."""
    if stored is not None and _is_same(new, stored):
        return stored
    return naive(new) if isinstance(new, datetime) else new


def _note_doubt(adopted: Adopted, row: _StoredRow, doubt: Doubt | None) -> None:
    if doubt is not None:
        adopted.doubts[doubt] += 1
        adopted.examples.setdefault(doubt, row.listing_id)


def _note_rules(adopted: Adopted, row: _StoredRow) -> None:
    """Count where a `primary_…` column holds something else than our rule would write."""
    for column, own, ours in zip(
        PRIMARY_COLUMNS, row.primary, primary_values(row.content), strict=True
    ):
        if own is None or own == (ours or ""):
            continue
        before = adopted.other_rules.get(column)
        adopted.other_rules[column] = OtherRule(
            column=column,
            listings=before.listings + 1 if before else 1,
            listing_id=before.listing_id if before else row.listing_id,
            own=before.own if before else str(own),
            ours=before.ours if before else str(ours or ""),
        )
