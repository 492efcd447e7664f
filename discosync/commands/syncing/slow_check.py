"""The slow check of a sync: look at a slice of the rows that the plan does not touch."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from discosync.core.inventory.parsed import ParsedRecord
from discosync.core.inventory.snapshot import Snapshot
from discosync.core.planning.changes import ChangeSet, Corrected
from discosync.core.planning.drift import Round, SlowCheck, Values, check_drift, find_drifted, mend
from discosync.core.planning.limits import Allowances
from discosync.core.reporting.findings import Problem
from discosync.database.connection.session import Session
from discosync.database.rows.checked import RowSlice, load_slice
from discosync.files.snapshot import open_snapshot
from discosync.runner import Run

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowCheckOptions:
    """Where the check goes on, and whether a mass drift may be mended: then all rows are read."""

    begins: Round
    mends_mass: bool


@dataclass(slots=True)
class SliceChecker:
    """Looks at one slice of the rows; `done` is what it found.

    `session` is None if there is no database yet.
    """

    session: Session | None
    snapshot: Snapshot
    options: SlowCheckOptions
    done: SlowCheck = field(default_factory=SlowCheck)

    def extend(self, changes: ChangeSet) -> ChangeSet:
        """Add to a plan what the check corrects."""
        session, seller = self.session, self.snapshot.seller
        if session is None:
            return changes
        begins = self.options.begins
        found = load_slice(session, seller, after=begins.after, limit=begins.share)
        is_end = len(found) < begins.share
        rows = begins.rows if begins.after else found.total
        check = self._look(session, found, changes)
        if self.options.mends_mass and any(check_drift(check, Allowances())):
            everything = load_slice(session, seller, after="", limit=2**31 - 1)
            check, is_end = self._look(session, everything, changes), True
        going_on = Round(after=found.last, rows=rows)
        self.done = replace(check, next=Round() if is_end else going_on)
        return replace(changes, corrected=self.done.corrected)

    def _look(self, session: Session, found: RowSlice, changes: ChangeSet) -> SlowCheck:
        # The plan has read these rows; what another program wrote there it overwrites.
        touched = {rewrite.listing_id for rewrite in changes.rewrites}
        rows = [row for row in found.rows if row.listing_id not in touched]
        drifted = find_drifted(rows)
        unknown = [i for i in found.unreadable if i not in touched]
        corrected: list[Corrected] = []
        if drifted:
            records, shown = _load_records(self.snapshot, {row.listing_id for row in drifted})
            past = _load_past(session, self.snapshot.seller, [row.listing_id for row in drifted])
            for row in drifted:
                mended = mend(row, records.get(row.listing_id), shown, past[row.listing_id])
                if mended.corrected is not None:
                    corrected.append(mended.corrected)
                if not mended.is_known:
                    unknown.append(row.listing_id)
        corrected.sort(key=lambda change: change.listing_id)
        return SlowCheck(rows=len(rows), corrected=tuple(corrected), unknown=tuple(sorted(unknown)))


def _load_records(
    snapshot: Snapshot, wanted: set[int]
) -> tuple[dict[int, ParsedRecord], frozenset[str]]:
    """Find the records of some listings in a snapshot, and say which fields it shows."""
    found: dict[int, ParsedRecord] = {}
    with open_snapshot(snapshot) as opened:
        while len(found) < len(wanted) and (block := opened.stream.take()):
            for parsed in opened.parser.read(block):
                own = parsed.pick([i in wanted for i in parsed.ids])
                found |= {record.listing_id: record for record in own.records}
        return found, opened.sees


def _load_past(session: Session, seller: str, wanted: Sequence[int]) -> dict[int, Values]:
    """Load the values that the history remembers last, by listing."""
    from discosync.database.past.history import (  # noqa: PLC0415 - drifts only
        load_changes_of_listings,
    )

    past: dict[int, dict[str, object]] = {listing_id: {} for listing_id in wanted}
    for change in load_changes_of_listings(session, seller, wanted):
        past[change.listing_id] |= {field.field: field.after for field in change.fields}
    return past  # type: ignore[return-value]


def note_slow_check(run: Run, check: SlowCheck) -> None:
    """Warn of what a slow check found, once no limit has refused to mend it."""
    problems = run.findings.problems
    if check.corrected:
        count, verb = len(check.corrected), "would be" if run.request.dry_run else "are"
        named = [
            f"{change.listing_id} ({', '.join(field.field for field in change.fields)})"
            for change in check.corrected
        ]
        text = (
            f"another program wrote into {_rows(count)} of the table listings, which {verb} "
            f"corrected: {_name(named)}. A shop's own values belong in columns of its own"
        )
        problems.append(_problem(text, [c.listing_id for c in check.corrected], code="corrected"))
    if check.unknown:
        text = (
            f"another program wrote into {_rows(len(check.unknown))} of the table listings, and "
            "neither this inventory nor the history shows all that stood there, so that the rest "
            f"is left as it is; look at them: {_name(list(map(str, check.unknown)))}"
        )
        problems.append(_problem(text, check.unknown, code="not_corrected"))


def _rows(count: int) -> str:
    return "a row" if count == 1 else f"{count:,} rows"


def _name(shown: Sequence[str]) -> str:
    rest = len(shown) - _NAMED
    return ", ".join(shown[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")


def _problem(text: str, listing_ids: Sequence[int], *, code: str) -> Problem:
    return Problem(
        code=code, text=text, listing_id=listing_ids[0] if len(listing_ids) == 1 else None
    )
