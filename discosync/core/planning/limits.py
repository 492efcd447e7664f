"""The limits: rules that refuse a run. `docs/reference/limits.md` lists them by name.

They hold for dry runs too. A refusal shows its arithmetic, and the option that allows it once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import CONTENT_FIELDS
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.planning.changes import ChangeSet, Rewrite
from discosync.errors import BadData

MAX_REJECTED = 50
MAX_REJECTED_RATIO = Fraction(1, 100)
MASS_CHANGE_RATIO = Fraction(1, 2)
MASS_CHANGE_MIN_LISTINGS = 50
WITNESS_MIN_TOLERANCE = 2
OLDER_SNAPSHOT = "older_snapshot"
CURRENCY_CHANGED = "currency_changed"
WITNESS_TOLERANCE_RATIO = Fraction(5, 1000)
_MAX_AHEAD = timedelta(hours=2)
"""How far ahead of our clock a file may be dated.

One hour for the hour that comes twice in November (a file's name tells a Pacific time without its
zone), and one hour for clocks that differ.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalLimit:
    """How many active listings may be removed at once: a number, or a percentage of the active."""

    number: int | None = None
    percent: Fraction | None = None

    def of(self, active: int) -> int:
        """Work the limit out; without a setting it is max(10, min(5% of active, 500))."""
        if self.number is not None:
            return self.number
        if self.percent is not None:
            return int(active * self.percent / 100)
        return max(10, min(active * 5 // 100, 500))

    def explain(self, active: int) -> str:
        """Show the arithmetic."""
        if self.number is not None:
            return f"{self.number:,}"
        if self.percent is not None:
            return f"{float(self.percent):g}% of {active:,} active = {self.of(active):,}"
        return f"max(10, min(5% of {active:,} active, 500)) = {self.of(active):,}"


def parse_removal_limit(text: str) -> RemovalLimit:
    """Read `N` or `N%`; raise `ValueError` with an example for anything else."""
    number = text.strip().removesuffix("%")
    try:
        value = Fraction(number)
    except (ValueError, ZeroDivisionError):
        value = Fraction(-1)
    is_percent = text.strip().endswith("%")
    if value < 0 or (is_percent and value > 100) or (not is_percent and value.denominator != 1):
        raise ValueError(f"{text!r} is neither a number nor a percentage; example: 25 or 5%")
    return RemovalLimit(percent=value) if is_percent else RemovalLimit(number=int(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """What this one run may do although a limit says no."""

    max_removals: RemovalLimit | None = None
    mass_removal: bool = False
    empty: bool = False
    mass_change: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A limit that says no: a stable code, the arithmetic, and the option that allows it once.

    An older snapshot has no such option: `option` is empty.
    """

    code: str
    text: str
    option: str


def check_limits(changes: ChangeSet, allowed: Allowances) -> list[Violation]:
    """Check a plan for an empty snapshot, a mass removal and a mass change."""
    return [
        *_check_empty_snapshot(changes, allowed),
        *_check_mass_removal(changes, allowed),
        *_check_mass_change(changes, allowed),
    ]


def _check_empty_snapshot(changes: ChangeSet, allowed: Allowances) -> Iterator[Violation]:
    # An empty answer is a fault far more often than a shop that sold everything.
    if changes.seen == 0 and changes.known_active and not allowed.empty:
        yield Violation(
            code="empty_snapshot",
            text=f"the inventory is empty, the database holds {changes.known_active:,} active "
            "listings",
            option="--allow-empty",
        )


def _check_mass_removal(changes: ChangeSet, allowed: Allowances) -> Iterator[Violation]:
    missing, active = len(changes.missing), changes.known_active
    # An empty snapshot has a limit of its own.
    if changes.seen == 0 or allowed.mass_removal:
        return
    # Only removals without evidence count: a row that the snapshot shows as sold is no fault.
    limit = allowed.max_removals or RemovalLimit()
    if missing > limit.of(active):
        share = 100 * missing / active
        yield Violation(
            code="too_many_removals",
            text=f"would remove {missing:,} of {active:,} active listings ({share:.1f}%) that the "
            f"inventory no longer contains; the limit is {limit.explain(active)}",
            option="--allow-mass-removal",
        )


def _check_mass_change(changes: ChangeSet, allowed: Allowances) -> Iterator[Violation]:
    if not allowed.mass_change:
        rewritten: list[Rewrite] = [*changes.updated, *changes.removed, *changes.reactivated]
        counts = Counter(c.field for r in rewritten for c in r.fields)
        yield from _check_currency(rewritten, counts)
        yield from _check_fields(changes, counts)


def _check_currency(rewritten: Sequence[Rewrite], counts: Counter[str]) -> Iterator[Violation]:
    """Refuse another currency for even one listing: a seller has one, and prices would lie."""
    if counts["price_currency"]:
        before, after = next(
            (c.before, c.after) for r in rewritten for c in r.fields if c.field == "price_currency"
        )
        yield Violation(
            code=CURRENCY_CHANGED,
            text=f"the currency of {counts['price_currency']:,} listings would change from "
            f"{before} to {after}",
            option="--allow-mass-change",
        )


def _check_fields(changes: ChangeSet, counts: Counter[str]) -> Iterator[Violation]:
    """Refuse the same field changing in more than half of the listings."""
    # Active listings are also counted by themselves. Sold rows stay in an export for years: beside
    # them, even a change of every active listing could be less than half.
    active = Counter(
        c.field
        for r in (*changes.updated, *changes.removed)
        if r.lifecycle.is_active or any(c.field == "is_active" for c in r.fields)
        for c in r.fields
    )
    for field in CONTENT_FIELDS:
        # A shop may change all its prices at once; the currency was checked above.
        if field in {"price_value", "price_currency"}:
            continue
        for what, count, total in (
            ("known listings", counts[field], changes.compared),
            ("active listings", active[field], changes.compared_active),
        ):
            if total >= MASS_CHANGE_MIN_LISTINGS and count > MASS_CHANGE_RATIO * total:
                yield Violation(
                    code="mass_change",
                    text=f"{field} would change in {count:,} of {total:,} {what} "
                    f"({100 * count / total:.1f}%); the limit is 50%",
                    option="--allow-mass-change",
                )
                break


def too_many_rejected(rejected: Sequence[RejectedRecord], records: int) -> BadData:
    """Make the refusal of a snapshot with too many bad records."""
    first = rejected[0]
    return BadData(
        f"{len(rejected):,} of {records:,} records cannot be read; the limit is 1% and "
        f"{MAX_REJECTED}. The first is line {first.line}: {first.reason}",
        hint="nothing was changed; look at that line, or fetch the inventory again",
        code="too_many_bad_records",
    )


def check_rejected(changes: ChangeSet) -> BadData | None:
    """Check a finished plan for bad records: at most 1% may be bad (and 50, see `Planner`)."""
    if len(changes.rejected) > MAX_REJECTED_RATIO * changes.seen:
        return too_many_rejected(changes.rejected, changes.seen)
    return None


def witness_tolerance(expected: int) -> int:
    """Return by how many listings an export may differ from its witness: sales go on meanwhile."""
    return max(WITNESS_MIN_TOLERANCE, int(expected * WITNESS_TOLERANCE_RATIO))


def check_witness(changes: ChangeSet, snapshot: Snapshot) -> BadData | None:
    """Compare an export with its witness, the number of listings that Discogs counts For Sale.

    An export that shows fewer or more of them, beyond the tolerance, is an incomplete snapshot.
    """
    expected = snapshot.expected_items
    if snapshot.source is not Source.EXPORT or expected is None:
        return None
    tolerance = witness_tolerance(expected)
    # A record that could not be read may be For Sale, or not.
    fewest, most = changes.for_sale, changes.for_sale + len(changes.rejected)
    if fewest - tolerance <= expected <= most + tolerance:
        return None
    return BadData(
        f"the export holds {changes.for_sale:,} listings For Sale, Discogs counts {expected:,}; "
        f"they may differ by max({WITNESS_MIN_TOLERANCE}, 0.5%) = {tolerance}: the export is "
        "incomplete",
        hint="nothing was changed; run again, or `discosync sync --source pages`",
        code="witness_disagrees",
    )


def check_conflicts(ids: Iterable[int]) -> BadData | None:
    """Refuse a snapshot that holds a listing twice, with different contents."""
    conflicts = [str(i) for i in ids]
    if not conflicts:
        return None
    named = ", ".join(conflicts[:5]) + (" …" if len(conflicts) > 5 else "")
    return BadData(
        f"the inventory holds {len(conflicts)} listings twice with different content: {named}",
        hint="nothing was changed; fetch the inventory again",
        code="conflicting_duplicates",
    )


def check_age(
    snapshot: Snapshot, last_as_of: datetime | None, *, now: datetime
) -> Violation | None:
    """Refuse a snapshot that is older than the last one applied, or dated in the future."""
    # A file that does not say of when it is cannot be checked.
    if snapshot.as_of is None:
        return None
    named = f"this inventory is of {snapshot.as_of:%Y-%m-%d %H:%M:%S} UTC"
    # Once applied, it would make every later snapshot look old.
    if snapshot.as_of > now + _MAX_AHEAD:
        text = f"{named}, which is in the future: this machine's clock says {now:%Y-%m-%d %H:%M:%S}"
        return Violation(code=OLDER_SNAPSHOT, text=text, option="")
    if last_as_of is None or snapshot.as_of + snapshot.as_of_precision >= last_as_of:
        return None
    return Violation(
        code=OLDER_SNAPSHOT,
        text=f"{named}, but the last one applied is of {last_as_of:%Y-%m-%d %H:%M:%S} UTC: sold "
        "records would come back",
        option="",
    )
