"""One record of the dump becomes credits, or the reason why not."""

import pytest

from discosync.core.catalog.credits import parse_release
from discosync.discogs.catalog.dump_record import parse_record
from tests.support.dump import make_artist, make_release, write_record


def test_record_says_the_same_as_the_api() -> None:
    """Artists of tracks and companies are no credits of the release."""
    release = make_release(7)
    assert parse_record(7, write_record(release).encode()) == parse_release(release)


def test_artist_without_an_entry_has_no_id() -> None:
    """The id 0 stands for a name only."""
    record = write_record(make_release(7, artists=[make_artist(0, "Nobody")]))
    credits_ = parse_record(7, record.encode())
    assert (credits_.artists[0].discogs_id, credits_.artists[0].name) == (None, "Nobody")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b'<release id="7"><artists>', "not well-formed"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><release id="7">&d;</release>', "not well-formed"),
        (b'<release id="7"><artists><artist><id>1</id></artist></artists></release>', "no name"),
        (
            b'<release id="7"><labels><label name="A" id="x"/></labels></release>',
            "'x' is not an id",
        ),
    ],
)
def test_record_that_cannot_be_read_says_why(record: bytes, reason: str) -> None:
    """The reason names what is wrong, for the report."""
    with pytest.raises(ValueError, match=reason):
        parse_record(7, record)
