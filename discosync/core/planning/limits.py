"""The rules that refuse a run (contract, section 6).

They hold for dry runs too. Every refusal shows its arithmetic and says how to allow it once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import CONTENT_FIELDS
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.planning.changes import ChangeSet
from discosync.errors import BadData

MAX_REJECTED = 50
MAX_REJECTED_RATIO = Fraction(1, 100)
MASS_CHANGE_RATIO = Fraction(1, 2)
MASS_CHANGE_MIN_LISTINGS = 50
WITNESS_MIN_TOLERANCE = 2
OLDER_SNAPSHOT = "older_snapshot"
_MAX_CLOCK_DIFFERENCE = timedelta(hours=2)
"""A name tells a Pacific hour, of which one in November comes twice; the rest is for our clock."""

WITNESS_TOLERANCE_RATIO = Fraction(5, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalLimit:
    """How many active listings may vanish at once: a number, or a percentage of the active."""

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

    An older snapshot has no such option: it goes in without its name, or not at all.
    """

    code: str
    text: str
    option: str


def check_limits(changes: ChangeSet, allowed: Allowances) -> list[Violation]:
    """Check limits 2 to 4 against a plan."""
    return [
        *_check_empty(changes, allowed),
        *_check_removals(changes, allowed),
        *([] if allowed.mass_change else _check_mass_change(changes)),
    ]


def _check_empty(changes: ChangeSet, allowed: Allowances) -> Iterator[Violation]:
    if changes.seen == 0 and changes.known_active and not allowed.empty:
        yield Violation(
            code="empty_snapshot",
            text=f"the inventory is empty, the database holds {changes.known_active:,} active "
            "listings",
            option="--allow-empty",
        )


def _check_removals(changes: ChangeSet, allowed: Allowances) -> Iterator[Violation]:
    missing, active = len(changes.missing), changes.known_active
    if changes.seen == 0 or allowed.mass_removal:  # an empty snapshot has a limit of its own
        return
    limit = allowed.max_removals or RemovalLimit()
    if missing > limit.of(active):
        share = 100 * missing / active
        yield Violation(
            code="too_many_removals",
            text=f"would remove {missing:,} of {active:,} active listings ({share:.1f}%) that the "
            f"inventory no longer contains; the limit is {limit.explain(active)}",
            option="--allow-mass-removal",
        )


def _check_mass_change(changes: ChangeSet) -> Iterator[Violation]:
    rewritten = [*changes.updated, *changes.removed, *changes.reactivated]
    everywhere = Counter(c.field for r in rewritten for c in r.fields)
    if everywhere["price_currency"]:
        before, after = next(
            (c.before, c.after) for r in rewritten for c in r.fields if c.field == "price_currency"
        )
        yield Violation(
            code="currency_changed",
            text=f"the currency of {everywhere['price_currency']:,} listings would change from "
            f"{before} to {after}",
            option="--allow-mass-change",
        )
    # What is active is also counted by itself: sold rows stay in an export for years and would
    # water the share down.
    active = Counter(
        c.field
        for r in (*changes.updated, *changes.removed)
        if r.lifecycle.is_active or any(c.field == "is_active" for c in r.fields)
        for c in r.fields
    )
    for field in CONTENT_FIELDS:
        if field in {"price_value", "price_currency"}:
            continue
        for what, count, total in (
            ("known listings", everywhere[field], changes.compared),
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
    """Refuse a snapshot with too many unreadable records (limit 5)."""
    first = rejected[0]
    return BadData(
        f"{len(rejected):,} of {records:,} records cannot be read; the limit is 1% and "
        f"{MAX_REJECTED}. The first is line {first.line}: {first.reason}",
        hint="nothing was changed; look at that line, or fetch the inventory again",
        code="too_many_bad_records",
    )


def check_rejected(changes: ChangeSet) -> BadData | None:
    """Apply limit 5 to a finished plan."""
    if len(changes.rejected) > MAX_REJECTED_RATIO * changes.seen:
        return too_many_rejected(changes.rejected, changes.seen)
    return None


def witness_tolerance(expected: int) -> int:
    """How far export and pages may differ: the shop goes on selling meanwhile."""
    return max(WITNESS_MIN_TOLERANCE, int(expected * WITNESS_TOLERANCE_RATIO))


def check_witness(changes: ChangeSet, snapshot: Snapshot) -> BadData | None:
    """Compare an export with its second witness, the number of listings on the pages (limit 1).

    A quarantined record may be one that is For Sale.
    """
    expected = snapshot.expected_items
    if snapshot.source is not Source.EXPORT or expected is None:
        return None
    tolerance = witness_tolerance(expected)
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
    """Refuse a snapshot that tells two stories about one listing."""
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
    """Refuse a snapshot that is older than the last one applied, or not of this world (limit 6).

    One from the future would make every later one look old.
    """
    if snapshot.as_of is None:
        return None
    named = f"this inventory is of {snapshot.as_of:%Y-%m-%d %H:%M:%S} UTC"
    if snapshot.as_of > now + _MAX_CLOCK_DIFFERENCE:
        return Violation(code=OLDER_SNAPSHOT, text=f"{named}, which is in the future", option="")
    if last_as_of is None or snapshot.as_of + snapshot.as_of_precision >= last_as_of:
        return None
    return Violation(
        code=OLDER_SNAPSHOT,
        text=f"{named}, the last one applied of {last_as_of:%Y-%m-%d %H:%M:%S} UTC: sold records "
        "would come back",
        option="",
    )
