"""Everything a run will change, as one plain value.

The table on screen, the dry run, the report, the limits, the history and the write all use the
same `ChangeSet`. It does not grow with the inventory on a first load: for an added listing it
holds only the id. The listing's record is on disk (see `files.parsed_file`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, NotRequired, TypedDict

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import FieldValue


class FieldChange(NamedTuple):
    """One column of one listing, before and after."""

    field: str
    before: FieldValue
    after: FieldValue


INDEXED_COLUMNS = ("status", "release_id", "is_active")
"""Columns that have an index, so that writing them is dear: see `Rewrite.keeps_indexed`."""


class Lifecycle(NamedTuple):
    """Whether a listing is for sale and, if not, since when and why (columns of `listings`)."""

    is_active: bool
    removed_at: datetime | None
    removal_reason: str | None
    sold_at: datetime | None


ACTIVE = Lifecycle(is_active=True, removed_at=None, removal_reason=None, sold_at=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """The new state of a known listing, and the state that it replaces.

    `expected_hash` is the content hash that the plan saw. If the row has another one when it is
    written, another program changed it since, which is a conflict. `keeps_indexed` says that
    status, release and `is_active` stay letter by letter what the row holds. These three columns
    have indexes, and leaving them alone makes an update more than twice as fast.
    """

    listing_id: int
    heading: str
    fields: tuple[FieldChange, ...]
    lifecycle: Lifecycle
    content_hash: str
    expected_hash: str | None
    currency: str | None = None
    keeps_indexed: bool = False


class RewriteFields(TypedDict):
    """The fields that every kind of rewrite has, for whoever decides the kind last."""

    listing_id: int
    heading: str
    fields: tuple[FieldChange, ...]
    lifecycle: Lifecycle
    content_hash: str
    expected_hash: str | None
    currency: str | None
    keeps_indexed: NotRequired[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated(Rewrite):
    """A known listing with another content, or inactive for another reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed(Rewrite):
    """A listing that was active and no longer is; `in_snapshot` when the snapshot says why.

    `shown_status` is the status that Discogs gave when it was asked for a listing that the snapshot
    lacks; None where it did not give one.
    """

    in_snapshot: bool
    shown_status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactivated(Rewrite):
    """A known, inactive listing that is for sale again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed(Rewrite):
    """No change. Something is written all the same: a value that the row lacked, or the hash.

    `fills_in` is True for the former, False for a content hash of an older version.
    """

    fills_in: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(Rewrite):
    """A row that another program edited, with its true values again (see `drift`).

    `content` holds all of them, in the order of `CONTENT_FIELDS`.
    """

    content: tuple[FieldValue, ...]


Change = Updated | Removed | Reactivated | Corrected
"""A change of a known listing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """What one snapshot changes, sorted by listing id, and how it was counted.

    `records` counts the records that were read, `for_sale` those of them that say For Sale.
    `known_active` counts the active listings before this plan; `compared` and `compared_active`
    count the known listings that the snapshot shows again. The limits take their shares of these.
    `corrected` rows are no news of the inventory: the listings count as unchanged, too.
    `left_purged` counts records of purged listings, which stay away. `protected` and `kept` count
    active listings that the snapshot lacks and that stay: `protected` because bad records may be
    theirs, `kept` because Discogs did not say that they are gone (see `absence`).
    """

    added: Sequence[int] = ()
    updated: tuple[Updated, ...] = ()
    removed: tuple[Removed, ...] = ()
    reactivated: tuple[Reactivated, ...] = ()
    corrected: tuple[Corrected, ...] = ()
    completed: tuple[Completed, ...] = ()
    rejected: tuple[RejectedRecord, ...] = ()
    unchanged: int = 0
    added_active: int = 0
    records: int = 0
    for_sale: int = 0
    known_active: int = 0
    compared: int = 0
    compared_active: int = 0
    left_purged: int = 0
    protected: int = 0
    kept: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether the inventory is as the database says."""
        return not (self.added or any(self.of_known))

    @property
    def writes_nothing(self) -> bool:
        """Whether nothing at all is written, not even a missing value."""
        return self.is_empty and not self.completed

    @property
    def missing(self) -> tuple[Removed, ...]:
        """Removals without evidence: the snapshot does not contain the listing."""
        return tuple(change for change in self.removed if not change.in_snapshot)

    @property
    def rewrites(self) -> Iterator[Rewrite]:
        """Every known listing whose row is written, changed or not."""
        yield from self.of_known
        yield from self.completed

    @property
    def to_write(self) -> int:
        """How many listings have to be written."""
        return len(self.added) + sum(1 for _ in self.rewrites)

    @property
    def of_known(self) -> Iterator[Change]:
        """Every change of a listing that was known, kind by kind."""
        yield from self.updated
        yield from self.removed
        yield from self.reactivated
        yield from self.corrected

    @property
    def seen(self) -> int:
        """How many listings the snapshot shows, quarantined ones included."""
        return self.records + len(self.rejected)

    @property
    def active_after(self) -> int:
        """How many listings are active once this is applied."""
        return self.known_active + self.added_active - len(self.removed) + len(self.reactivated)
