"""Enrichment: what is to be looked up, how long that takes, and what a run did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from discosync.core.catalog.credits import ReleaseCredits

REFRESH_AFTER = timedelta(days=180)
"""After this long a release is looked up again: people edit names and credits on Discogs."""

READ_AGAIN_AFTER = timedelta(days=1)
"""After this long a release is looked up again if its answer could not be read."""

LISTINGS_PER_COMMIT = 5_000
"""How many listings one transaction links when no network slows it down."""


class Outcome(StrEnum):
    """The outcome of looking up a release; `EMPTY` has neither main artists nor labels."""

    FOUND = "found"
    EMPTY = "empty"
    NOT_FOUND = "not_found"
    UNREADABLE = "unreadable"


class LookupSource(StrEnum):
    """Where a release was looked up; `NAMES` is the listing's own text."""

    API = "api"
    DUMP = "dump"
    NAMES = "names"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One release looked up: its credits if it was found, else `reason` may say why not."""

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
    """Return the lookup of a release that was found, as empty without main artists and labels."""
    # A producer or a photographer is no artist that the release is by.
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

    `releases` are release ids to look up, those of the newest listings first. `outdated` were
    looked up long ago, the oldest first. `copies` are ids of listings that get the links of another
    listing of the same release.
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
    """How many of a seller's listings are linked to artists and labels.

    `by_name` counts those linked by name only, because their release was not found so far;
    `waiting` counts releases that were never looked up.
    """

    linked: int = 0
    total: int = 0
    by_name: int = 0
    waiting: int = 0

    def to_json(self) -> dict[str, int]:
        """Return all counts, as report and status show them."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpUse:
    """How far a dump was read: records, bytes of the packed file, and records a second."""

    records: int
    bytes: int
    total_bytes: int
    records_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichmentUse:
    """What a run of `enrich` did, or would do: the report's `enrichment`.

    `wanted`, `found`, `not_found` and `unreadable` count releases. `remaining_requests` and
    `remaining_seconds` say what looking up the rest by the API takes.
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
        """Return a copy with counts added; `tally` maps the names of counts to what to add."""
        sums = {name: getattr(self, name) + count for name, count in tally.items()}
        return replace(self, **sums)

    def to_json(self) -> dict[str, Any]:
        """Return it as the report's `enrichment`."""
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
"""Our pace, a little below the 60 and 25 that Discogs allows (its API documentation)."""


def seconds_for(requests: int, *, has_token: bool) -> int:
    """Return how many seconds `requests` take.

    The requests of the first minute are sent at once, so they take no time.
    """
    a_minute = REQUESTS_PER_MINUTE_WITH_TOKEN if has_token else REQUESTS_PER_MINUTE_WITHOUT_TOKEN
    return 60 * requests // a_minute
