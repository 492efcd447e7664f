"""What an enrichment has to do, and what it reports."""

import pytest

from discosync.core.catalog.credits import ArtistCredit, LabelCredit, ReleaseCredits
from discosync.core.catalog.enrichment import (
    DumpUse,
    EnrichmentUse,
    LookupSource,
    Outcome,
    Workload,
    found,
    seconds_for,
)
from tests.support.shop import NOON

ARTIST = ArtistCredit(discogs_id=5, name="Nova")
PRODUCER = ArtistCredit(discogs_id=6, name="Ilse", role="Producer")
LABEL = LabelCredit(discogs_id=7, name="Orchard")


@pytest.mark.parametrize(
    ("artists", "labels", "outcome"),
    [
        ((ARTIST,), (), Outcome.FOUND),
        ((), (LABEL,), Outcome.FOUND),
        ((PRODUCER,), (), Outcome.EMPTY),
        ((), (), Outcome.EMPTY),
    ],
)
def test_release_by_nobody_is_empty(
    artists: tuple[ArtistCredit, ...], labels: tuple[LabelCredit, ...], outcome: Outcome
) -> None:
    """A producer is no main artist."""
    credits_ = ReleaseCredits(release_id=1, artists=artists, labels=labels)
    lookup = found(credits_, source=LookupSource.DUMP, now=NOON)
    assert (lookup.outcome, lookup.credits) == (outcome, credits_)


@pytest.mark.parametrize(
    ("requests", "has_token", "seconds"),
    [(0, True, 0), (58, True, 60), (57, True, 58), (10_000, True, 10_344), (23, False, 60)],
)
def test_time_follows_from_the_pace(requests: int, has_token: bool, seconds: int) -> None:  # noqa: FBT001 - a table
    """58 a minute with a token, 23 without: ten thousand releases take three hours."""
    assert seconds_for(requests, has_token=has_token) == seconds


def test_new_releases_come_before_outdated_ones() -> None:
    """Each in its own order."""
    assert Workload(releases=[9, 8], outdated=[1, 2]).wanted == [9, 8, 1, 2]


def test_parts_add_up() -> None:
    """A part names only the counts that it touched."""
    use = EnrichmentUse(source=LookupSource.API, wanted=5)
    use = use.plus({"found": 2, "listings": 3}).plus({"found": 1})
    assert (use.wanted, use.found, use.listings) == (5, 3, 3)


def test_report_shows_a_dump_only_where_one_was_read() -> None:
    """Records a second are rounded."""
    use = EnrichmentUse(source=LookupSource.NAMES)
    assert use.to_json()["dump"] is None
    dump = DumpUse(records=10, bytes=5, total_bytes=9, records_per_second=1.26)
    shown = EnrichmentUse(source=LookupSource.DUMP, dump=dump).to_json()
    assert shown["source"] == "dump"
    assert shown["dump"] == {
        "records": 10,
        "bytes": 5,
        "total_bytes": 9,
        "records_per_second": 1.3,
    }
