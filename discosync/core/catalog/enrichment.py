"""What an enrichment has to do, what it costs, and what it did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from discosync.core.catalog.credits import ReleaseCredits

REFRESH_AFTER = timedelta(days=180)
"""Names and credits on Discogs are edited; after this long a release is looked up again."""

READ_AGAIN_AFTER = timedelta(days=1)
"""When an answer that could not be read is asked for again."""

LISTINGS_PER_COMMIT = 5_000
"""How much one transaction takes when no network is in between."""


class Outcome(StrEnum):
    """What came of looking a release up."""

    FOUND = "found"
    EMPTY = "empty"
    NOT_FOUND = "not_found"
    UNREADABLE = "unreadable"


class LookupSource(StrEnum):
    """Where a release was looked up."""

    API = "api"
    DUMP = "dump"
    NAMES = "names"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One release looked up: its credits when it was found."""

    release_id: int
    outcome: Outcome
    source: LookupSource
    looked_up_at: datetime
    credits: ReleaseCredits | None = None
    reason: str = ""
    is_sandbox: bool = False


def found(
    credits_: ReleaseCredits, *, source: LookupSource, now: datetime, is_sandbox: bool = False
) -> Lookup:
    """Say that a release was found; one that is by nobody and on no label counts as empty."""
    has_any = any(not credit.role for credit in credits_.artists) or bool(credits_.labels)
    return Lookup(
        release_id=credits_.release_id,
        outcome=Outcome.FOUND if has_any else Outcome.EMPTY,
        source=source,
        looked_up_at=now,
        credits=credits_,
        is_sandbox=is_sandbox,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What there is to do for a seller.

    `releases` are to be looked up, those of the newest listings first; `outdated` were looked up
    long ago, the oldest first; `copies` are listings whose release another listing has links for.
    """

    releases: Sequence[int] = ()
    outdated: Sequence[int] = ()
    copies: Sequence[str] = ()

    @property
    def wanted(self) -> list[int]:
        """Every release to look up, in order."""
        return [*self.releases, *self.outdated]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many listings are linked to their artists and labels.

    `by_name` are those of which no release has been found yet; `waiting` counts releases that
    nobody has looked up.
    """

    linked: int = 0
    total: int = 0
    by_name: int = 0
    waiting: int = 0

    def to_json(self) -> dict[str, int]:
        """Give all counts."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpUse:
    """How far a dump was read: records, bytes of the file, and records a second."""

    records: int
    bytes: int
    total_bytes: int
    records_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichmentUse:
    """What a run of `enrich` did, or would do; the report's `enrichment`.

    `wanted` counts releases; `remaining_requests` and `remaining_seconds` say what looking the
    rest up by the API takes.
    """

    source: LookupSource
    wanted: int = 0
    found: int = 0
    not_found: int = 0
    unreadable: int = 0
    listings: int = 0
    artists_added: int = 0
    labels_added: int = 0
    merged: int = 0
    remaining_requests: int = 0
    remaining_seconds: int = 0
    coverage: Coverage = Coverage()
    dump: DumpUse | None = None

    def plus(self, tally: Mapping[str, int]) -> "EnrichmentUse":
        """Add what one part did, by name of count."""
        sums = {name: getattr(self, name) + count for name, count in tally.items()}
        return replace(self, **sums)

    def to_json(self) -> dict[str, Any]:
        """Give the report's `enrichment`."""
        nested = {"source", "coverage", "dump"}
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in nested}
        dump = self.dump
        return {
            "source": self.source.value,
            **plain,
            "coverage": self.coverage.to_json(),
            "dump": None
            if dump is None
            else {
                "records": dump.records,
                "bytes": dump.bytes,
                "total_bytes": dump.total_bytes,
                "records_per_second": round(dump.records_per_second, 1),
            },
        }


REQUESTS_PER_MINUTE_WITH_TOKEN = 58
REQUESTS_PER_MINUTE_WITHOUT_TOKEN = 23
"""What the pace keeps to, a little below what Discogs allows."""


def seconds_for(requests: int, *, has_token: bool) -> int:
    """Say how long that many requests take, one release each; the first minute's go at once."""
    a_minute = REQUESTS_PER_MINUTE_WITH_TOKEN if has_token else REQUESTS_PER_MINUTE_WITHOUT_TOKEN
    return 60 * requests // a_minute
