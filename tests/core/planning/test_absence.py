"""Proof of absence: which listings are asked for, and what each answer does to the plan."""

from dataclasses import replace

import pytest

from discosync.core.inventory.listing import content_hash
from discosync.core.planning.absence import (
    MAX_LOOKUPS,
    SAMPLE_SIZE,
    AbsenceCounts,
    LookUp,
    Proof,
    Questions,
    Verdict,
    apply_proof,
    choose_questions,
)
from discosync.core.planning.changes import ACTIVE, ChangeSet, Lifecycle, Removed
from discosync.core.planning.known import STORED_FIELDS, KnownListing
from discosync.core.planning.limits import Allowances, RemovalLimit
from tests.support.shop import FIRST_ID, NOON, make_listing

GONE = Lifecycle(is_active=False, removed_at=NOON, removal_reason="missing", sold_at=None)
SAMPLING = Allowances(mass_removal=True)


def _row(number: int) -> KnownListing:
    listing = make_listing(number)
    values = tuple(getattr(listing, name) for name in STORED_FIELDS)
    return KnownListing(listing.listing_id, content_hash(listing), ACTIVE, values)


def _removed(number: int, *, in_snapshot: bool = False) -> Removed:
    return Removed(
        listing_id=FIRST_ID + number,
        heading="",
        fields=(),
        lifecycle=GONE,
        content_hash="",
        expected_hash=None,
        in_snapshot=in_snapshot,
    )


def _plan(missing: int, *, active: int = 100_000) -> ChangeSet:
    return ChangeSet(removed=tuple(_removed(n) for n in range(missing)), known_active=active)


def _answer(number: int, verdict: Verdict, status: str = "") -> LookUp:
    return LookUp(listing_id=FIRST_ID + number, verdict=verdict, status=status)


def _proof(*answers: LookUp, of: int | None = None, is_sample: bool = False) -> Proof:
    asked = [answer.listing_id for answer in answers]
    asked += [FIRST_ID + 1000 + n for n in range((of or len(asked)) - len(asked))]
    questions = Questions(listing_ids=asked, is_sample=is_sample)
    return Proof(questions=questions, answers={answer.listing_id: answer for answer in answers})


def _apply(plan: ChangeSet, proof: Proof) -> ChangeSet:
    rows = [_row(listing_id - FIRST_ID) for listing_id in proof.shown]
    return apply_proof(plan, proof, rows, as_of=NOON)


def test_each_missing_listing_is_asked_for() -> None:
    """Every listing that the snapshot lacks is asked for, each once, whatever their order."""
    questions = choose_questions(_plan(30), Allowances(), seed="a")
    assert sorted(questions.listing_ids) == [FIRST_ID + n for n in range(30)]
    assert not questions.is_sample


def test_the_order_is_another_one_in_each_run() -> None:
    """No listing is always the last one that is asked for."""
    first, second = (choose_questions(_plan(30), Allowances(), seed=s).listing_ids for s in "ab")
    assert first != second
    assert first == choose_questions(_plan(30), Allowances(), seed="a").listing_ids


def test_a_run_asks_for_so_many_and_no_more() -> None:
    """At most `MAX_LOOKUPS` are asked for; the others wait."""
    allowed = Allowances(max_removals=RemovalLimit(number=5_000))
    assert len(choose_questions(_plan(600), allowed, seed="a").listing_ids) == MAX_LOOKUPS


@pytest.mark.parametrize(
    ("allowed", "missing", "asked", "is_sample"),
    [
        (SAMPLING, 5_000, SAMPLE_SIZE, True),
        (Allowances(empty=True), 5_000, SAMPLE_SIZE, True),
        # The option was not needed: each one is asked for.
        (SAMPLING, 500, 500, False),
        (SAMPLING, 40, 40, False),
        (Allowances(mass_removal=True, max_removals=RemovalLimit(number=150)), 160, 100, True),
    ],
)
def test_a_sample_stands_for_a_mass_removal(
    allowed: Allowances, missing: int, asked: int, *, is_sample: bool
) -> None:
    """A random hundred is asked for where the option let more pass than the limit."""
    questions = choose_questions(_plan(missing), allowed, seed="a")
    assert (len(set(questions.listing_ids)), questions.is_sample) == (asked, is_sample)


def test_what_is_not_there_is_removed() -> None:
    """A listing that Discogs does not have is taken for gone, as the plan said."""
    plan = _plan(1)
    after = _apply(plan, _proof(_answer(0, Verdict.GONE)))
    assert after == plan


def test_another_status_is_removed_with_its_reason() -> None:
    """A sold listing is removed as sold, and its row gets status and hash of the sold one."""
    (removed,) = _apply(_plan(1), _proof(_answer(0, Verdict.NOT_FOR_SALE, "Sold"))).removed
    assert removed.lifecycle == Lifecycle(
        is_active=False, removed_at=NOON, removal_reason="sold", sold_at=NOON
    )
    assert removed.fields[0] == ("status", "For Sale", "Sold")
    assert removed.content_hash == content_hash(make_listing(0, status="Sold"))
    assert removed.expected_hash == content_hash(make_listing(0))
    assert (removed.shown_status, removed.in_snapshot) == ("Sold", False)


def test_one_that_is_for_sale_keeps_all_that_are_absent() -> None:
    """An incomplete snapshot removes nothing for being absent; a status is evidence still."""
    proof = _proof(
        _answer(0, Verdict.FOR_SALE),
        _answer(1, Verdict.GONE),
        _answer(2, Verdict.NOT_FOR_SALE, "Draft"),
    )
    after = _apply(_plan(4), proof)
    assert [(r.listing_id, r.lifecycle.removal_reason) for r in after.removed] == [
        (FIRST_ID + 2, "draft")
    ]
    assert after.kept == 3


@pytest.mark.parametrize("verdict", [Verdict.UNPROVEN, None])
def test_without_proof_a_listing_stays(verdict: Verdict | None) -> None:
    """An answer that proves nothing, or none at all, removes nothing; others are removed."""
    answers = [_answer(0, Verdict.GONE)] + ([_answer(1, verdict)] if verdict else [])
    after = _apply(_plan(2), _proof(*answers))
    assert [removed.listing_id for removed in after.removed] == [FIRST_ID]
    assert after.kept == 1


def test_what_the_snapshot_shows_as_gone_needs_no_proof() -> None:
    """A record that says sold or draft is evidence: it is removed whatever was asked."""
    shown = _removed(5, in_snapshot=True)
    plan = replace(_plan(1), removed=(*_plan(1).removed, shown))
    assert _apply(plan, _proof(_answer(0, Verdict.UNPROVEN))).removed == (shown,)


@pytest.mark.parametrize(
    ("last", "of", "removed"),
    [
        (Verdict.GONE, 2, 300),
        (Verdict.NOT_FOR_SALE, 2, 300),
        # One is for sale: nothing is gone for being absent.
        (Verdict.FOR_SALE, 2, 0),
        # The sample is not whole: only what was asked for, and is gone, is removed.
        (Verdict.UNPROVEN, 2, 1),
        (Verdict.GONE, 3, 2),
    ],
)
def test_each_of_a_sample_must_be_gone(last: Verdict, of: int, removed: int) -> None:
    """A sample speaks for all others only when each listing in it is gone."""
    proof = _proof(_answer(0, Verdict.GONE), _answer(1, last, "Sold"), of=of, is_sample=True)
    assert len(_apply(_plan(300), proof).removed) == removed


def test_the_report_counts_every_answer() -> None:
    """Answers, and listings that wait, add up to the listings that the snapshot lacks."""
    plan = _plan(7)
    proof = _proof(
        _answer(0, Verdict.GONE),
        _answer(1, Verdict.GONE),
        _answer(2, Verdict.NOT_FOR_SALE, "Sold"),
        _answer(3, Verdict.UNPROVEN),
    )
    assert proof.count(plan, _apply(plan, proof)) == AbsenceCounts(
        missing=7, asked=4, gone=2, not_for_sale=1, unproven=1, waiting=3
    )


def test_nobody_waits_for_whom_a_sample_spoke() -> None:
    """What is removed by a sample is not counted as waiting."""
    plan = _plan(300)
    proof = _proof(_answer(0, Verdict.GONE), is_sample=True)
    assert proof.count(plan, _apply(plan, proof)) == AbsenceCounts(
        missing=300, asked=1, gone=1, sampled=True
    )
