"""Flags: buckets that never change, and the order in which a flag is resolved."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.flags import (
    BUCKETS,
    Flag,
    FlagChange,
    FlagContext,
    FlagEvent,
    FlagSetting,
    FlagState,
    FlagValue,
    bucket_of,
    parse_flag,
    parse_rollout,
    resolve_flags,
)

HOUR = datetime(2026, 3, 2, 9, 41, tzinfo=UTC)
KNOWN_BUCKETS = [
    (Flag.USE_CSV_EXPORT, "velvet-crates", HOUR, 81),
    (Flag.USE_CSV_EXPORT, "velvet-crates", HOUR + timedelta(hours=1), 8),
    (Flag.USE_CSV_EXPORT, "hollow-records", HOUR, 51),
    (Flag.USE_CONTENT_HASH, "velvet-crates", HOUR, 92),
    (Flag.ENABLE_ARTIST_ENRICHMENT, "sørensen", HOUR, 60),
]


@pytest.mark.parametrize(("flag", "seller", "now", "bucket"), KNOWN_BUCKETS)
def test_buckets_are_what_they_always_were(
    flag: Flag, seller: str, now: datetime, bucket: int
) -> None:
    """Another bucket function would deal every rollout anew: these values may not change."""
    assert bucket_of(flag, FlagContext(seller=seller, now=now)) == bucket


def test_bucket_is_the_hours_in_any_zone_and_spelling() -> None:
    """The same seller and hour, however they are written, are the same bucket."""
    elsewhere = (HOUR + timedelta(minutes=18)).astimezone(timezone(timedelta(hours=9)))
    buckets = {
        bucket_of(Flag.USE_CSV_EXPORT, FlagContext(seller=seller, now=now))
        for seller, now in [("Velvet-Crates", HOUR), ("velvet-crates", elsewhere)]
    }
    assert len(buckets) == 1


@given(st.sampled_from(list(Flag)), st.text(max_size=30), st.datetimes(), st.integers(0, 99))
def test_growing_a_rollout_never_takes_a_run_out(
    flag: Flag, seller: str, now: datetime, percent: int
) -> None:
    """Whatever is on at a share is on at every larger one."""
    context = FlagContext(seller=seller, now=now.replace(tzinfo=UTC))
    smaller, larger = (_value(flag, FlagState(percent=p), context) for p in (percent, percent + 1))
    assert larger.value or not smaller.value


def test_a_rollout_reaches_about_its_share() -> None:
    """Of a year's hours, about a quarter are in a rollout of 25%."""
    hours = [HOUR + timedelta(hours=n) for n in range(365 * 24)]
    contexts = [FlagContext(seller="velvet-crates", now=hour) for hour in hours]
    state = FlagState(percent=25)
    on = sum(_value(Flag.USE_CSV_EXPORT, state, context).value for context in contexts)
    assert 0.22 < on / len(hours) < 0.28
    assert {bucket_of(Flag.USE_CSV_EXPORT, c) for c in contexts} == set(range(BUCKETS))


CONTEXT = FlagContext(seller="velvet-crates", now=HOUR)
BACK = FlagState(
    percent=100, rolled_back=FlagChange(changed_at=HOUR, changed_by="eva@shop", reason="stuck")
)


def _value(
    flag: Flag,
    state: FlagState | None,
    context: FlagContext = CONTEXT,
    *,
    configured: bool = True,
    asked: bool | None = None,
) -> FlagValue:
    settings = {f: FlagSetting(value=configured, origin="environment") for f in Flag}
    states = None if state is None else {flag: state}
    words = {} if asked is None else {flag: FlagValue(value=asked, why="--source export")}
    return resolve_flags(settings, states, context, asked=words)[flag]


@pytest.mark.parametrize(
    ("configured", "state", "asked", "value", "why"),
    [
        (True, FlagState(), None, True, "environment"),
        (False, FlagState(), None, False, "environment"),
        (True, BACK, None, False, "rolled back 2026-03-02 09:41 UTC by eva@shop: stuck"),
        (False, BACK, None, False, "environment"),
        (True, FlagState(percent=0), None, False, "switched off with `flags set`"),
        (True, FlagState(percent=100), None, True, "environment"),
        (True, None, None, False, "the flags in the database cannot be read"),
        (True, BACK, True, True, "--source export"),
        (False, FlagState(), True, True, "--source export"),
        (True, FlagState(), False, False, "--source export"),
        (True, None, True, True, "--source export"),
    ],
)
def test_order_of_resolution(
    *, configured: bool, state: FlagState | None, asked: bool | None, value: bool, why: str
) -> None:
    """The command line beats the database, which beats the setting; all must say on for on."""
    found = _value(Flag.USE_CSV_EXPORT, state, configured=configured, asked=asked)
    assert found.value is value
    assert found.why == why


@pytest.mark.parametrize(
    ("text", "percent"), [("on", 100), ("OFF", 0), ("0%", 0), ("25%", 25), ("100%", 100)]
)
def test_rollouts(text: str, percent: int) -> None:
    """On, off and whole percentages are rollouts."""
    assert parse_rollout(text) == percent


@pytest.mark.parametrize("text", ["101%", "-1%", "25", "2.5%", "half", "", "%", "٢٥%"])
def test_what_is_no_rollout(text: str) -> None:
    """Anything else is refused, with an example."""
    with pytest.raises(ValueError, match="example: 25%"):
        parse_rollout(text)


def test_both_spellings_of_a_flag() -> None:
    """A flag is understood as a variable and as a word; the known ones are named otherwise."""
    assert parse_flag("use-csv-export") is parse_flag("USE_CSV_EXPORT") is Flag.USE_CSV_EXPORT
    with pytest.raises(ValueError, match="USE_CACHE, ENABLE_ARTIST_ENRICHMENT"):
        parse_flag("use-magic")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (FlagState(), "on"),
        (FlagState(percent=0), "off"),
        (FlagState(percent=25), "25%"),
        (BACK, "rolled back"),
    ],
)
def test_state_has_a_word(state: FlagState, words: str) -> None:
    """A rollback hides the share: it is what counts."""
    assert str(state) == words


def test_event_is_shown_with_all_that_is_known_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """`flags history --json`: when (in UTC), who, from, to, why, and by which run."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    event = FlagEvent(
        flag="USE_CACHE",
        changed_at=HOUR.astimezone(timezone(timedelta(hours=9))),
        changed_by="eva@shop",
        state_before="on",
        state_after="25%",
        reason="slow",
        run_id="r-1",
    )
    assert event.to_json() == {
        "flag": "USE_CACHE",
        "when": "2026-03-02T09:41:00Z",
        "who": "eva@shop",
        "from": "on",
        "to": "25%",
        "reason": "slow",
        "run": "r-1",
    }
    monkeypatch.undo()
    time.tzset()


def test_share_decides_by_the_bucket() -> None:
    """A bucket below the share is on; the share itself is the first that is off, and says why."""
    state = FlagState(percent=81)
    at_edge = _value(Flag.USE_CSV_EXPORT, state)
    assert not at_edge.value
    assert at_edge.why == "rolled out to 81%, bucket 81 of velvet-crates at 2026-03-02T09"
    assert _value(Flag.USE_CSV_EXPORT, FlagState(percent=82)).value
