"""A file that is dated in the future, by its name or by a wrong clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.support.program import Program
from tests.support.shop import SELLER, make_shop, write_export

PACIFIC = ZoneInfo("America/Los_Angeles")


def _named_after(program: Program, moment: datetime) -> str:
    """Write a file that Discogs would have named at this moment."""
    name = f"{SELLER}-inventory-{moment.astimezone(PACIFIC):%Y%m%d-%H%M}.csv"
    return str(write_export(program.directory / name, make_shop(3)))


def test_a_file_from_the_future_is_refused(program: Program) -> None:
    """A name that tells a moment three hours ahead would make every true snapshot look old."""
    path = _named_after(program, datetime.now(UTC) + timedelta(hours=3))
    refused = program("sync", "--from-file", path)
    assert refused.exit_code == 13
    assert "in the future" in refused.stderr


def test_after_a_moment_to_come_it_is_told_when_syncs_pass(
    program: Program,
) -> None:
    """A clock that is an hour behind, or a name that tells too much, ends by itself."""
    ahead = datetime.now(UTC) + timedelta(hours=1)
    assert program("sync", "--from-file", _named_after(program, ahead)).exit_code == 0
    refused = program("sync")
    assert refused.exit_code == 13
    assert f"a sync after {ahead:%Y-%m-%d %H:%M} UTC passes" in refused.stderr
