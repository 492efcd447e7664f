"""What the database knows, as far as a plan needs it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from discosync.core.changes import Lifecycle
from discosync.core.listing import FieldValue, heading_of


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownListing:
    """A row of `listings`, as far as a decision needs it."""

    listing_id: int
    values: Mapping[str, FieldValue]
    lifecycle: Lifecycle
    content_hash: str | None

    @property
    def heading(self) -> str:
        """Artist and title, for people."""
        return heading_of(self.values["artist_names"], self.values["release_title"])


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownListings:
    """What the database knows of one seller, compact: id → content hash, and two sets of ids.

    `incomplete` are listings that lack an extra which only some sources show; `purged` are those
    that were here once, and stay away while a snapshot shows them as sold, draft, ….
    """

    hash_by_id: Mapping[int, str | None] = field(default_factory=dict)
    inactive: Collection[int] = frozenset()
    incomplete: Collection[int] = frozenset()
    purged: Collection[int] = frozenset()
