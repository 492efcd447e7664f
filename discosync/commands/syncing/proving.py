"""Ask Discogs for the listings that a snapshot lacks, before they are taken for gone."""

from dataclasses import dataclass, field, replace

from discosync.commands.steps.run_flags import roll_back_by_itself
from discosync.commands.syncing.fetching import Ask, Asking
from discosync.commands.syncing.judging import SyncOptions, allowances_of, tell
from discosync.commands.syncing.mirror import Mirror
from discosync.commands.syncing.planning import Planned
from discosync.core.flags import Flag
from discosync.core.inventory.snapshot import Source
from discosync.core.planning.absence import (
    AbsenceCounts,
    LookUp,
    Proof,
    Questions,
    Verdict,
    apply_proof,
    choose_questions,
)
from discosync.core.reporting.findings import Problem
from discosync.database.rows.known import load_rows
from discosync.errors import AuthRefused, BadData, SourceUnavailable
from discosync.render.size import render_count
from discosync.runner import Run

LACKS_LISTINGS = "lacks_listings"
"""The code of the problem that the snapshot lacks a listing which is for sale."""

_FAILURES_IN_A_ROW = 3
"""After so many Discogs is in trouble: the listings that are left wait for the next run."""

_MAX_NAMED = 5
_MAX_REASON_LETTERS = 300


def prove_absence(
    run: Run, planned: Planned, asking: Asking | None, mirror: Mirror, options: SyncOptions
) -> Planned:
    """Return the plan without the removals that Discogs does not confirm.

    Nothing is asked of Discogs when `asking` is None. Half of the time that is left is spent on it
    at the most.
    """
    allowed = allowances_of(options, mirror)
    questions = choose_questions(planned.changes, allowed, seed=run.run_id)
    with run.phase("prove"):
        asked = None if asking is None else _ask_all(run, asking, questions)
        if asked is None:
            return _removed_unasked(run, planned)
        answers = {answer.listing_id: answer for answer in asked.answers}
        proof = Proof(questions=questions, answers=answers)
        proven = _proven(run, planned, proof, mirror)
    run.findings.absence = counts = proof.count(planned.changes, proven.changes)
    tell(run, proven, options)
    _note_answers(run, proof, counts, asked.stopped_because)
    if proof.finds_incomplete:
        _distrust_export(run, mirror)
    return proven


@dataclass(slots=True)
class _Asked:
    """The answers so far, and why no more listings were asked for ("" if all were)."""

    answers: list[LookUp] = field(default_factory=list)
    stopped_because: str = ""


def _ask_all(run: Run, asking: Asking, questions: Questions) -> _Asked | None:
    """Ask for one listing after the other; return None when the token is another user's."""
    asked = _Asked()
    run.progress.begin("asking Discogs for missing listings", len(questions.listing_ids))
    try:
        with asking(run.remaining_seconds() / 2) as ask:
            _ask_each(run, ask, questions, asked)
    except AuthRefused as refused:
        if refused.code == "not_this_seller":
            return None
        asked.stopped_because = refused.message
    except (SourceUnavailable, BadData) as failed:
        asked.stopped_because = failed.message
    return asked


def _ask_each(run: Run, ask: Ask, questions: Questions, asked: _Asked) -> None:
    failures = 0
    for listing_id in questions.listing_ids:
        answer = ask(listing_id)
        asked.answers.append(answer)
        run.progress.advance(1)
        failures = failures + 1 if answer.has_failed else 0
        if failures == _FAILURES_IN_A_ROW:
            asked.stopped_because = answer.why
            return


def _removed_unasked(run: Run, planned: Planned) -> Planned:
    text = (
        f"removed because the file lacks them: {_listings(len(planned.changes.missing))}; Discogs "
        "was not asked, because a file came without the seller's token"
    )
    run.findings.problems.append(Problem(code="not_asked", text=text, is_warning=False))
    run.findings.absence = AbsenceCounts(missing=len(planned.changes.missing))
    return planned


def _proven(run: Run, planned: Planned, proof: Proof, mirror: Mirror) -> Planned:
    rows = []
    if shown := sorted(proof.shown):
        with mirror.database.session() as session:
            rows = list(load_rows(session, mirror.seller, shown))
    as_of = planned.snapshot.as_of or run.started_at
    return replace(planned, changes=apply_proof(planned.changes, proof, rows, as_of=as_of))


def _note_answers(run: Run, proof: Proof, counts: AbsenceCounts, stopped_because: str) -> None:
    """Warn of every listing that stays for sale although the snapshot lacks it."""
    problems = run.findings.problems
    if proof.finds_incomplete:
        text = (
            f"for sale at Discogs, but missing in the inventory: {_listings(counts.for_sale)} "
            f"({_named(proof, Verdict.FOR_SALE)}); the inventory is incomplete, so nothing is "
            "removed for being absent"
        )
        problems.append(Problem(code=LACKS_LISTINGS, text=text))
    if counts.unproven:
        reasons = dict.fromkeys(answer.why for answer in proof.answers.values() if answer.why)
        text = (
            f"missing in the inventory, but not proven to be gone: {_listings(counts.unproven)} "
            f"({_named(proof, Verdict.UNPROVEN)}), still for sale here; Discogs said: "
            f"{'; '.join(reasons)[:_MAX_REASON_LETTERS]}"
        )
        problems.append(Problem(code="not_proven", text=text))
    if counts.waiting:
        why = f" ({stopped_because[:_MAX_REASON_LETTERS]})" if stopped_because else ""
        text = (
            f"missing in the inventory, but not asked for in this run: {_listings(counts.waiting)}"
            f"{why}, still for sale here; the next run asks"
        )
        problems.append(Problem(code="not_yet_asked", text=text))


def _listings(count: int) -> str:
    return render_count(count, "listing")


def _named(proof: Proof, verdict: Verdict) -> str:
    ids = sorted(i for i, answer in proof.answers.items() if answer.verdict is verdict)
    return ", ".join(map(str, ids[:_MAX_NAMED])) + (" …" if len(ids) > _MAX_NAMED else "")


def _distrust_export(run: Run, mirror: Mirror) -> None:
    """Roll the flag USE_CSV_EXPORT back when it chose two incomplete exports in a row."""
    found = run.findings
    is_export = found.source == Source.EXPORT.value
    if not is_export or not found.flags[Flag.USE_CSV_EXPORT].value:
        return
    if mirror.last.source == found.source and LACKS_LISTINGS in mirror.last.problems:
        reason = "two exports in a row lacked listings that are for sale"
        roll_back_by_itself(run, mirror.database, Flag.USE_CSV_EXPORT, reason)
