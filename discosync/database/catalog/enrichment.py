"""What is to be enriched, what has been looked up, and how much is linked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
)

from discosync.core.catalog.enrichment import READ_AGAIN_AFTER, Coverage, Lookup, Outcome, Workload
from discosync.core.catalog.links import Links
from discosync.database.catalog.links import Owner, load_links
from discosync.database.rows.store import ROWS_PER_QUERY
from discosync.database.schema.tables import artists, labels, listings, release_lookups

_IS_LINKED = or_(listings.c.artist_id.is_not(None), listings.c.label_id.is_not(None))


def _is_mere_name(entry: Table) -> ColumnElement[bool]:
    return and_(entry.c.discogs_id.is_(None), ~entry.c.is_unlisted)


_IS_BY_NAME = and_(
    _IS_LINKED,
    case((listings.c.artist_id.is_not(None), _is_mere_name(artists)), else_=_is_mere_name(labels)),
)
"""Whether the artist that a listing leads to, or for want of one the label, is a mere name."""

_NEWEST_FIRST = cast(listings.c.listing_id, BigInteger).desc()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFilter:
    """What of the work is asked for: of at most `limit` listings, refreshed before a moment."""

    seller: str
    now: datetime
    limit: int | None = None
    refresh_before: datetime | None = None
    refreshes_missing: bool = False


def load_workload(connection: Connection, wanted: WorkFilter) -> Workload:
    """Load what there is to do, newest listings first."""
    copies = list(_load_copies(connection, wanted.seller))
    with_donor = _releases_with_donor(connection, {release for _, release in copies})
    orphans = {release for _, release in copies if release not in with_donor}
    releases: dict[int, None] = {}
    count = 0
    for release_id in _load_unlooked(connection, wanted, orphans):
        if wanted.limit is not None and count >= wanted.limit:
            break
        releases[release_id] = None
        count += 1
    room = None if wanted.limit is None else max(0, wanted.limit - count)
    outdated = list(_load_outdated(connection, wanted))[:room]
    return Workload(
        releases=list(releases),
        outdated=[release_id for release_id in outdated if release_id not in releases],
        copies=[listing_id for listing_id, release in copies if release in with_donor],
    )


def _own_lookups(*columns: ColumnElement[Any]) -> Select[Any]:
    """Put a listing beside what is known of its release."""
    joined = listings.outerjoin(
        release_lookups, release_lookups.c.release_id == listings.c.release_id
    )
    return select(*columns).select_from(joined)


def _beside_entries(*columns: ColumnElement[Any]) -> Select[Any]:
    """Put a listing beside what is known of its release, and its primary artist and label."""
    joined = (
        listings.outerjoin(release_lookups, release_lookups.c.release_id == listings.c.release_id)
        .outerjoin(artists, artists.c.uuid == listings.c.artist_id)
        .outerjoin(labels, labels.c.uuid == listings.c.label_id)
    )
    return select(*columns).select_from(joined)


def _load_unlooked(connection: Connection, wanted: WorkFilter, orphans: set[int]) -> Iterator[int]:
    """Give the release of each listing that nobody has looked up, once for each listing.

    `orphans` are releases that were found, while no listing has their links any more.
    """
    c, r = listings.c, release_lookups.c
    unread = and_(
        r.outcome == Outcome.UNREADABLE.value, r.looked_up_at <= wanted.now - READ_AGAIN_AFTER
    )
    is_lost = and_(r.outcome == Outcome.FOUND.value, ~_IS_LINKED)
    statement = _own_lookups(c.release_id, r.outcome).where(
        c.seller == wanted.seller,
        c.release_id.is_not(None),
        or_(r.release_id.is_(None), unread, is_lost),
    )
    for text, outcome in connection.execute(statement.order_by(_NEWEST_FIRST)):
        number = _number(text)
        if number is not None and (outcome != Outcome.FOUND.value or number in orphans):
            yield number


def _load_outdated(connection: Connection, wanted: WorkFilter) -> Iterator[int]:
    """Give the releases that were looked up before `refresh_before`, the oldest first."""
    if wanted.refresh_before is None:
        return
    c, r = listings.c, release_lookups.c
    outcomes = [Outcome.FOUND.value, Outcome.EMPTY.value]
    if wanted.refreshes_missing:
        outcomes += [Outcome.NOT_FOUND.value, Outcome.UNREADABLE.value]
    own = select(c.release_id).where(c.seller == wanted.seller)
    old = select(r.release_id).where(
        r.looked_up_at <= wanted.refresh_before, r.outcome.in_(outcomes), r.release_id.in_(own)
    )
    for text in connection.execute(old.order_by(r.looked_up_at, r.release_id)).scalars():
        if (number := _number(text)) is not None:
            yield number


def _load_copies(connection: Connection, seller: str) -> Iterator[tuple[str, int]]:
    """Give listings without links whose release has been found: another copy was there first."""
    c, r = listings.c, release_lookups.c
    statement = _own_lookups(c.listing_id, c.release_id).where(
        c.seller == seller, r.outcome == Outcome.FOUND.value, ~_IS_LINKED
    )
    for listing_id, text in connection.execute(statement):
        if (number := _number(text)) is not None:
            yield listing_id, number


def _releases_with_donor(connection: Connection, releases: set[int]) -> set[int]:
    return set(_donors(connection, sorted(releases)))


def _donors(connection: Connection, releases: Sequence[int]) -> dict[int, Owner]:
    """Find a linked listing for each release, of any seller."""
    c = listings.c
    found: dict[int, Owner] = {}
    for start in range(0, len(releases), ROWS_PER_QUERY):
        chunk = [str(i) for i in releases[start : start + ROWS_PER_QUERY]]
        linked = select(c.release_id, c.seller, c.listing_id).where(
            c.release_id.in_(chunk), _IS_LINKED
        )
        for release, seller, listing_id in connection.execute(linked.order_by(c.id)):
            found.setdefault(int(release), (seller, listing_id))
    return found


def load_copied_links(
    connection: Connection, seller: str, listing_ids: Sequence[str]
) -> dict[Owner, Links]:
    """Load the links that listings take over from another listing of the same release."""
    c = listings.c
    release_by_id: dict[str, int] = {}
    for start in range(0, len(listing_ids), ROWS_PER_QUERY):
        chunk = listing_ids[start : start + ROWS_PER_QUERY]
        own = select(c.listing_id, c.release_id).where(c.seller == seller, c.listing_id.in_(chunk))
        release_by_id |= {i: int(release) for i, release in connection.execute(own)}
    donors = _donors(connection, sorted(set(release_by_id.values())))
    links = load_links(connection, set(donors.values()))
    return {
        (seller, listing_id): links[donors[release]]
        for listing_id, release in release_by_id.items()
        if release in donors
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedListing:
    """What a listing itself says of its artists and labels."""

    listing_id: str
    release_id: int
    artist_names: str | None
    label_names: str | None
    catalog_number: str | None


def load_named(
    connection: Connection,
    seller: str,
    *,
    limit: int | None = None,
    outcome: Outcome | None = None,
) -> Iterator[NamedListing]:
    """Load the listings that their own names may link, newest first.

    Those without any link; without a limit those, too, that are linked by name only, for their
    names may have changed. With an outcome, only those whose release had it.
    """
    c = listings.c
    names = (c.artist_names, c.label_names, c.catalog_number)
    own = _beside_entries(c.listing_id, c.release_id, *names).where(c.seller == seller)
    own = own.where(~_IS_LINKED if limit is not None else or_(~_IS_LINKED, _IS_BY_NAME))
    if outcome is not None:
        own = own.where(release_lookups.c.outcome == outcome.value)
    for listing_id, release, artist_names, label_names, number in connection.execute(
        own.order_by(_NEWEST_FIRST).limit(limit)
    ):
        if artist_names or label_names:
            yield NamedListing(
                listing_id=listing_id,
                release_id=_number(release) or 0,
                artist_names=artist_names,
                label_names=label_names,
                catalog_number=number,
            )


def record_lookups(connection: Connection, lookups: Sequence[Lookup]) -> None:
    """Note what came of looking releases up; what was known of them before is replaced.

    A release that was found once and now is not stays found: its listings keep their links.
    """
    c = release_lookups.c
    for start in range(0, len(lookups), ROWS_PER_QUERY):
        chunk = lookups[start : start + ROWS_PER_QUERY]
        wanted = [str(lookup.release_id) for lookup in chunk]
        known = select(c.release_id).where(
            c.release_id.in_(wanted), c.outcome == Outcome.FOUND.value
        )
        was_found = set(connection.execute(known).scalars())
        connection.execute(delete(release_lookups).where(c.release_id.in_(wanted)))
        rows = [
            {
                "release_id": str(lookup.release_id),
                "outcome": _outcome_after(lookup, was_found),
                "source": lookup.source.value,
                "looked_up_at": lookup.looked_up_at,
            }
            for lookup in chunk
        ]
        connection.execute(insert(release_lookups), rows)


def _outcome_after(lookup: Lookup, was_found: set[str]) -> str:
    is_lost = lookup.credits is None and str(lookup.release_id) in was_found
    return Outcome.FOUND.value if is_lost else lookup.outcome.value


def load_coverage(connection: Connection, seller: str) -> Coverage:
    """Count what is linked, and what of it by name only."""
    c, r = listings.c, release_lookups.c
    groups = _beside_entries(_IS_LINKED, _IS_BY_NAME, func.count()).where(c.seller == seller)
    linked = total = by_name = 0
    for is_linked, is_by_name, count in connection.execute(
        groups.group_by(_IS_LINKED, _IS_BY_NAME)
    ):
        total += count
        linked += count if is_linked else 0
        by_name += count if is_by_name else 0
    waiting = _own_lookups(func.count(c.release_id.distinct())).where(
        c.seller == seller, c.release_id.is_not(None), r.release_id.is_(None)
    )
    return Coverage(
        linked=linked,
        total=total,
        by_name=by_name,
        waiting=int(connection.execute(waiting).scalar_one()),
    )


def _number(text: str | None) -> int | None:
    """Read a release id; what another program wrote may be anything."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return int(text)
