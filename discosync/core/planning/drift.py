"""The slow check: whether rows hold what their content hash says, and what is to be mended.

A run trusts the content hash, so it does not see a value that another program edits beside it. So
each run also looks at a slice of the rows. A digest that does not match says that a row was edited;
and it proves, too, which values are the right ones: those with which it matches again.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    FOR_SALE,
    FieldValue,
    canonical,
    content_digest_of,
    digest_forms,
    digest_values,
    heading_of,
    render_hash,
)
from discosync.core.inventory.parsed import ParsedRecord
from discosync.core.inventory.records import NO_DIGEST
from discosync.core.planning.changes import ACTIVE, Corrected, FieldChange, Lifecycle
from discosync.core.planning.differences import lifecycle_changes
from discosync.core.planning.known import KnownListing
from discosync.core.planning.limits import Allowances, Violation

RUNS_PER_ROUND = 160
"""Within a week of hourly runs every row has been looked at, a few runs that fail included."""

MIN_ROWS_PER_RUN = 100
"""So many rows cost a millisecond; and of fewer than fifty no mass drift could be told."""

MASS_DRIFT = "mass_drift"
_MASS_DRIFT_MIN_ROWS = 50

Values = Mapping[str, FieldValue]

_ODD_VALUES = (TypeError, ValueError, ArithmeticError, AttributeError)
"""What a value may raise that no record can hold; SQLite stores any type in any column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How far the slow check of a seller's rows has come.

    It goes on behind the listing `after`; "" is the beginning. `rows` counts the seller's rows as
    the round began.
    """

    after: str = ""
    rows: int = 0

    @classmethod
    def of_report(cls, report: object) -> Self | None:
        """Read where the run of a stored report left off; None when it says nothing."""
        said = report.get("slow_check") if isinstance(report, dict) else None
        if not isinstance(said, dict):
            return None
        after, rows = said.get("next_after"), said.get("round_rows")
        if not isinstance(after, str) or not isinstance(rows, int):
            return None
        return cls(after=after, rows=rows)

    @property
    def share(self) -> int:
        """How many rows one run looks at."""
        return max(MIN_ROWS_PER_RUN, -(-self.rows // RUNS_PER_ROUND))


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowCheck:
    """What one run's slice showed.

    `rows` counts the rows that were compared with their hash. `corrected` are mended. `unknown` are
    listings of which nobody knows all true values. `next` is where the next run goes on.
    """

    rows: int = 0
    corrected: tuple[Corrected, ...] = ()
    unknown: tuple[int, ...] = ()
    next: Round = field(default_factory=Round)

    @property
    def drifted(self) -> int:
        """How many rows another program edited."""
        return len({*self.unknown, *(change.listing_id for change in self.corrected)})

    def to_json(self) -> dict[str, Any]:
        """Return it as the report's `slow_check`."""
        return {
            "rows": self.rows,
            "unknown": len(self.unknown),
            "round_rows": self.next.rows,
            "next_after": self.next.after,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What can be done about a row: a correction, if any, and whether all of it is known."""

    corrected: Corrected | None
    is_known: bool


def find_drifted(rows: Sequence[KnownListing]) -> list[KnownListing]:
    """Return the rows that another program edited.

    A row without a hash, or with one of another version, says nothing.
    """
    expected = [content_digest_of(row.content_hash) for row in rows]
    return [
        row
        for row, found, digest in zip(rows, _digests(rows), expected, strict=True)
        if digest != NO_DIGEST and (found != digest or _contradicts_itself(row))
    ]


def _digests(rows: Sequence[KnownListing]) -> Iterator[bytes]:
    """Digest what rows hold, column by column: many values repeat, and take their time only once.

    One value of an odd type spoils that for all of them, and is found row by row.
    """
    columns = zip(*(row.values[: len(CONTENT_FIELDS)] for row in rows), strict=True)
    try:
        forms = list(map(_forms, CONTENT_FIELDS, columns))
    except _ODD_VALUES:
        return (_digest(_content(row)) for row in rows)
    return map(digest_forms, zip(*forms, strict=True))


def _forms(name: str, column: Sequence[FieldValue]) -> list[str]:
    form_by_value = {value: canonical(name, value) for value in set(column)}
    return [form_by_value[value] for value in column]


def _contradicts_itself(row: KnownListing) -> bool:
    """Return whether a row says that it is for sale and gone, or sold and gone for another reason.

    Whether it is for sale at all, a plan sees by itself.
    """
    life = row.lifecycle
    if life.is_active:
        return row.value("status") == FOR_SALE and life != ACTIVE
    return life.sold_at is not None and life.removal_reason != "sold"


def mend(
    row: KnownListing, record: ParsedRecord | None, shown: Collection[str], past: Values
) -> Mended:
    """Decide what an edited row should hold.

    `record` is the listing's record in the snapshot, which shows the fields `shown`; `past` are the
    values that the history remembers last. Nothing is invented: what neither shows stays as it is.
    """
    expected = content_digest_of(row.content_hash)
    stored = dict(zip(CONTENT_FIELDS, _content(row), strict=True))
    content = dict(stored)
    if record is not None:
        read = {n: record.value(n) for n in CONTENT_FIELDS if n in shown}
        content |= {n: v for n, v in read.items() if not _is_same(n, stored[n], v)}
    is_known = _proves(content, expected) or (record is not None and record.digest == expected)
    if not is_known:
        # The record is newer than the history.
        hidden = [n for n in past if n in content and (record is None or n not in shown)]
        other = {n: past[n] for n in hidden if not _is_same(n, stored[n], past[n])}
        if is_known := _proves(content | other, expected):
            content |= other
    lifecycle = _lifecycle_after(row, content["status"], past)
    is_known &= not _contradicts_itself(row._replace(lifecycle=lifecycle))
    return Mended(corrected=_corrected(row, stored, content, lifecycle), is_known=is_known)


def _corrected(
    row: KnownListing, stored: Values, content: Values, lifecycle: Lifecycle
) -> Corrected | None:
    fields = (
        *(FieldChange(n, stored[n], content[n]) for n in CONTENT_FIELDS if stored[n] != content[n]),
        *lifecycle_changes(row.lifecycle, lifecycle),
    )
    if not fields:
        return None
    currency = content["price_currency"]
    return Corrected(
        listing_id=row.listing_id,
        heading=heading_of(content["artist_names"], content["release_title"]),
        fields=fields,
        lifecycle=lifecycle,
        # It stays: where a value is still unknown, it is what a later run can prove it by.
        content_hash=row.content_hash or render_hash(NO_DIGEST),
        expected_hash=row.content_hash,
        currency=None if currency is None else str(currency),
        content=tuple(content[name] for name in CONTENT_FIELDS),
    )


def _lifecycle_after(row: KnownListing, status: FieldValue, past: Values) -> Lifecycle:
    if row.lifecycle.is_active and status == FOR_SALE:
        return ACTIVE
    if _contradicts_itself(row) and not row.lifecycle.is_active and "removal_reason" in past:
        # A removal's change names only what it filled in.
        own: dict[str, Any] = {"sold_at": None, **past}
        return row.lifecycle._replace(**{n: own[n] for n in Lifecycle._fields[1:] if n in own})
    return row.lifecycle


def _content(row: KnownListing) -> Sequence[FieldValue]:
    return [None if isinstance(v, bytes) else v for v in row.values[: len(CONTENT_FIELDS)]]


def _digest(content: Sequence[FieldValue]) -> bytes:
    try:
        return digest_values(content)
    except _ODD_VALUES:
        return NO_DIGEST


def _proves(content: Values, expected: bytes) -> bool:
    return _digest([content[name] for name in CONTENT_FIELDS]) == expected


def _is_same(name: str, stored: FieldValue, value: FieldValue) -> bool:
    """Return whether a row holds a value, as far as its column can."""
    try:
        if name == "weight" and stored is not None and value is not None:
            return float(str(stored)) == float(str(value))  # the column is a float
        return canonical(name, stored) == canonical(name, value)
    except _ODD_VALUES:
        return False


def check_drift(check: SlowCheck, allowed: Allowances) -> Iterator[Violation]:
    """Refuse to mend more than half of the rows: another program rewrites the table."""
    count, rows = check.drifted, check.rows
    if rows < _MASS_DRIFT_MIN_ROWS or 2 * count <= rows or allowed.mass_change:
        return
    yield Violation(
        code=MASS_DRIFT,
        text=f"would correct {count:,} of the {rows:,} rows of listings that this run looked at "
        f"({100 * count / rows:.1f}%), because another program edited them; the limit is 50%",
        option="--allow-mass-change",
    )
