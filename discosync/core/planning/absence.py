"""Proof of absence: what Discogs says of listings that a snapshot lacks, and what follows.

An export or a walk through the pages may lack a listing that is still for sale, and no count shows
it where as many were added. So each missing listing is asked for by its id before it is taken for
gone. `docs/reference/limits.md` says which answer means what.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from discosync.core.inventory.listing import CONTENT_FIELDS, digest_values, render_hash
from discosync.core.planning.changes import ChangeSet, FieldChange, Removed
from discosync.core.planning.differences import lifecycle_changes
from discosync.core.planning.known import KnownListing
from discosync.core.planning.lifecycle import lifecycle_after
from discosync.core.planning.limits import Allowances, RemovalLimit

MAX_LOOKUPS = 500
"""How many listings one run asks for: nine minutes at Discogs' limit of 60 requests a minute."""

SAMPLE_SIZE = 100
"""How many listings are asked for in place of all when a mass removal was allowed."""


class Verdict(Enum):
    """What Discogs says of one listing that a snapshot lacks."""

    GONE = "there is no such listing"
    NOT_FOR_SALE = "it is there, with another status than For Sale"
    FOR_SALE = "it is for sale, so the snapshot is incomplete"
    UNPROVEN = "the answer proves nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Discogs' answer for one listing.

    `status` is the one that a listing NOT_FOR_SALE has, `why` says why an answer is UNPROVEN.
    `has_failed` says that no usable answer came at all, as when the network is down.
    """

    listing_id: int
    verdict: Verdict
    status: str = ""
    why: str = ""
    has_failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Which listings to ask for, in this order; `is_sample` when they stand for all the others."""

    listing_ids: Sequence[int] = ()
    is_sample: bool = False


def choose_questions(changes: ChangeSet, allowed: Allowances, *, seed: str) -> Questions:
    """Choose the missing listings to ask for; the same `seed` chooses the same ones.

    At most `MAX_LOOKUPS`; a random `SAMPLE_SIZE` when this run was allowed to remove more than the
    limit of removals.
    """
    missing = [removed.listing_id for removed in changes.missing]
    limit = (allowed.max_removals or RemovalLimit()).of(changes.known_active)
    is_sample = (allowed.mass_removal or allowed.empty) and len(missing) > max(limit, SAMPLE_SIZE)
    # In a random order, so that listings that never get an answer do not keep others from theirs.
    random.Random(seed).shuffle(missing)  # noqa: S311 - a fair order, no secret
    return Questions(
        listing_ids=missing[: SAMPLE_SIZE if is_sample else MAX_LOOKUPS], is_sample=is_sample
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceCounts:
    """The report's `absence`: how many listings the snapshot lacks, and what Discogs said of them.

    `waiting` are those that a later run asks for. With `sampled` the listings that were asked for
    stand for all of them.
    """

    missing: int = 0
    asked: int = 0
    gone: int = 0
    not_for_sale: int = 0
    for_sale: int = 0
    unproven: int = 0
    waiting: int = 0
    sampled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was asked, and every answer."""

    questions: Questions
    answers: Mapping[int, LookUp] = field(default_factory=dict)

    @property
    def shown(self) -> Mapping[int, str]:
        """The status of each listing that is there, and not for sale."""
        return {
            look_up.listing_id: look_up.status
            for look_up in self.answers.values()
            if look_up.verdict is Verdict.NOT_FOR_SALE
        }

    @property
    def finds_incomplete(self) -> bool:
        """Whether a missing listing is for sale: the snapshot is incomplete."""
        return self._count(Verdict.FOR_SALE) > 0

    def _count(self, verdict: Verdict) -> int:
        return sum(answer.verdict is verdict for answer in self.answers.values())

    @property
    def _speaks_for_all(self) -> bool:
        """Whether a sample was asked for, and each listing of it is gone."""
        gone = self._count(Verdict.GONE) + self._count(Verdict.NOT_FOR_SALE)
        return self.questions.is_sample and gone == len(self.questions.listing_ids)

    def shows_gone(self, listing_id: int) -> bool:
        """Whether a listing may be taken for gone because the snapshot lacks it."""
        # Whatever else the snapshot lacks may be for sale as well.
        if self.finds_incomplete:
            return False
        answer = self.answers.get(listing_id)
        return self._speaks_for_all if answer is None else answer.verdict is Verdict.GONE

    def count(self, before: ChangeSet, after: ChangeSet) -> AbsenceCounts:
        """Count the answers, and the listings that wait for an answer in a later run."""
        asked = len(self.answers)
        unasked = len(before.missing) - asked
        return AbsenceCounts(
            missing=len(before.missing),
            asked=asked,
            gone=self._count(Verdict.GONE),
            not_for_sale=self._count(Verdict.NOT_FOR_SALE),
            for_sale=self._count(Verdict.FOR_SALE),
            unproven=self._count(Verdict.UNPROVEN),
            waiting=min(unasked, after.kept),
            sampled=self.questions.is_sample,
        )


def apply_proof(
    changes: ChangeSet, proof: Proof, rows: Iterable[KnownListing], *, as_of: datetime
) -> ChangeSet:
    """Return the plan without the removals that are not proven.

    `rows` are the stored rows of the listings in `proof.shown`. These are removed with the reason
    that their status gives; the snapshot is of the moment `as_of`.
    """
    shown = proof.shown
    known = [_removed_as_shown(row, shown[row.listing_id], as_of=as_of) for row in rows]
    gone = [removed for removed in changes.missing if proof.shows_gone(removed.listing_id)]
    seen = [removed for removed in changes.removed if removed.in_snapshot]
    return replace(
        changes,
        removed=tuple(sorted([*seen, *known, *gone], key=lambda removed: removed.listing_id)),
        kept=len(changes.missing) - len(known) - len(gone),
    )


def _removed_as_shown(row: KnownListing, status: str, *, as_of: datetime) -> Removed:
    """Deactivate a listing that the snapshot lacks and that a look-up shows with this status."""
    lifecycle = lifecycle_after(row.lifecycle, status, as_of=as_of)
    before = row.value("status")
    # A status that the row lacks is filled in, which is no change.
    changed = (FieldChange("status", before, status),) if before not in {None, status} else ()
    content = [status if field == "status" else row.value(field) for field in CONTENT_FIELDS]
    return Removed(
        listing_id=row.listing_id,
        heading=row.heading,
        fields=(*changed, *lifecycle_changes(row.lifecycle, lifecycle)),
        lifecycle=lifecycle,
        content_hash=render_hash(digest_values(content)),
        expected_hash=row.content_hash,
        in_snapshot=False,
        shown_status=status,
    )
