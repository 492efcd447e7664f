"""Which listings are to be linked, which releases were looked up, and how much is linked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from discosync.core.catalog.enrichment import READ_AGAIN_AFTER, Coverage, Lookup, Outcome, Workload
from discosync.core.catalog.links import Links
from discosync.database.catalog.links import Owner, load_links
from discosync.database.connection.session import Session, in_chunks

_IS_LINKED = "(l.artist_id IS NOT NULL OR l.label_id IS NOT NULL)"

_IS_BY_NAME = f"""({_IS_LINKED} AND CASE WHEN l.artist_id IS NOT NULL
  THEN artists.discogs_id IS NULL AND NOT artists.is_unlisted
  ELSE labels.discogs_id IS NULL AND NOT labels.is_unlisted END)"""
"""Whether the artist that a listing leads to is a mere name; its label, if it has no artist."""

_WITH_LOOKUPS = "listings l LEFT JOIN release_lookups r ON r.release_id = l.release_id"

_WITH_ENTRIES = f"""{_WITH_LOOKUPS}
LEFT JOIN artists ON artists.uuid = l.artist_id LEFT JOIN labels ON labels.uuid = l.label_id"""
"""Listings beside what is known of their releases, and their primary artists and labels."""

_NEWEST_FIRST = "CAST(l.listing_id AS BIGINT) DESC"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFilter:
    """Which part of the work is asked for.

    `limit` is the most listings; `refresh_before` asks again about releases looked up before then.
    """

    seller: str
    now: datetime
    limit: int | None = None
    refresh_before: datetime | None = None
    refreshes_missing: bool = False


def load_workload(session: Session, wanted: WorkFilter) -> Workload:
    """Load which releases to look up and which listings to link, newest listings first."""
    copies = list(_load_copies(session, wanted.seller))
    with_donor = _releases_with_donor(session, {release for _, release in copies})
    orphans = {release for _, release in copies if release not in with_donor}
    releases: dict[int, None] = {}
    count = 0
    for release_id in _load_unlooked(session, wanted, orphans):
        if wanted.limit is not None and count >= wanted.limit:
            break
        releases[release_id] = None
        count += 1
    room = None if wanted.limit is None else max(0, wanted.limit - count)
    outdated = list(_load_outdated(session, wanted))[:room]
    return Workload(
        releases=list(releases),
        outdated=[release_id for release_id in outdated if release_id not in releases],
        copies=[listing_id for listing_id, release in copies if release in with_donor],
    )


def _load_unlooked(session: Session, wanted: WorkFilter, orphans: set[int]) -> Iterator[int]:
    """Give the release of each listing that nobody has looked up, once for each listing.

    `orphans` are releases that were found, while no listing has their links any more.
    """
    rows = session.execute(
        f"SELECT l.release_id, r.outcome FROM {_WITH_LOOKUPS} "  # noqa: S608 - our own names
        "WHERE l.seller = :seller AND l.release_id IS NOT NULL AND (r.release_id IS NULL "
        "OR (r.outcome = :unreadable AND r.looked_up_at <= :read_again_before) "
        f"OR (r.outcome = :found AND NOT {_IS_LINKED})) ORDER BY {_NEWEST_FIRST}",
        seller=wanted.seller,
        unreadable=Outcome.UNREADABLE.value,
        read_again_before=session.moment(wanted.now - READ_AGAIN_AFTER),
        found=Outcome.FOUND.value,
    )
    for text, outcome in rows:
        number = _number(text)
        if number is not None and (outcome != Outcome.FOUND.value or number in orphans):
            yield number


def _load_outdated(session: Session, wanted: WorkFilter) -> Iterator[int]:
    """Give the releases that were looked up before `refresh_before`, the oldest first."""
    if wanted.refresh_before is None:
        return
    outcomes = [Outcome.FOUND.value, Outcome.EMPTY.value]
    if wanted.refreshes_missing:
        outcomes += [Outcome.NOT_FOUND.value, Outcome.UNREADABLE.value]
    rows = session.execute(
        "SELECT release_id FROM release_lookups "  # noqa: S608 - our own names
        f"WHERE looked_up_at <= :before AND {session.is_in('outcome', 'outcomes')} "
        "AND release_id IN (SELECT release_id FROM listings WHERE seller = :seller) "
        "ORDER BY looked_up_at, release_id",
        before=session.moment(wanted.refresh_before),
        outcomes=session.one_of(outcomes),
        seller=wanted.seller,
    )
    for (text,) in rows:
        if (number := _number(text)) is not None:
            yield number


def _load_copies(session: Session, seller: str) -> Iterator[tuple[str, int]]:
    """Give listings without links whose release was found: another copy of it is linked already."""
    rows = session.execute(
        f"SELECT l.listing_id, l.release_id FROM {_WITH_LOOKUPS} "  # noqa: S608 - our own names
        f"WHERE l.seller = :seller AND r.outcome = :found AND NOT {_IS_LINKED}",
        seller=seller,
        found=Outcome.FOUND.value,
    )
    for listing_id, text in rows:
        if (number := _number(text)) is not None:
            yield listing_id, number


def _releases_with_donor(session: Session, releases: set[int]) -> set[int]:
    return set(_donors(session, sorted(releases)))


def _donors(session: Session, releases: Sequence[int]) -> dict[int, Owner]:
    """Find a linked listing for each release, of any seller."""
    found: dict[int, Owner] = {}
    for chunk in in_chunks([str(i) for i in releases]):
        rows = session.execute(
            "SELECT l.release_id, l.seller, l.listing_id FROM listings l "  # noqa: S608
            f"WHERE {session.is_in('l.release_id', 'ids')} AND {_IS_LINKED} ORDER BY l.id",
            ids=session.one_of(chunk),
        )
        for release, seller, listing_id in rows:
            found.setdefault(int(release), (seller, listing_id))
    return found


def load_copied_links(
    session: Session, seller: str, listing_ids: Sequence[str]
) -> dict[Owner, Links]:
    """Load the links that listings take over from another listing of the same release."""
    release_by_id: dict[str, int] = {}
    for chunk in in_chunks(listing_ids):
        rows = session.execute(
            "SELECT listing_id, release_id FROM listings "  # noqa: S608 - our own names
            f"WHERE seller = :seller AND {session.is_in('listing_id', 'ids')}",
            seller=seller,
            ids=session.one_of(chunk),
        )
        release_by_id |= {listing_id: int(release) for listing_id, release in rows}
    donors = _donors(session, sorted(set(release_by_id.values())))
    links = load_links(session, set(donors.values()))
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
    session: Session,
    seller: str,
    *,
    limit: int | None = None,
    outcome: Outcome | None = None,
) -> Iterator[NamedListing]:
    """Load the listings that their own names may link, newest first.

    Those without any link; without a limit also those that are linked by name only, for their
    names may have changed. With an outcome, only those whose release had it.
    """
    own = f"NOT {_IS_LINKED}" if limit is not None else f"(NOT {_IS_LINKED} OR {_IS_BY_NAME})"
    values: dict[str, object] = {"seller": seller}
    if outcome is not None:
        own += " AND r.outcome = :outcome"
        values["outcome"] = outcome.value
    end = f"ORDER BY {_NEWEST_FIRST}"
    if limit is not None:
        end += " LIMIT :limit"
        values["limit"] = limit
    rows = session.execute(
        "SELECT l.listing_id, l.release_id, l.artist_names, l.label_names, l.catalog_number "  # noqa: S608
        f"FROM {_WITH_ENTRIES} WHERE l.seller = :seller AND {own} {end}",
        **values,
    )
    for listing_id, release, artist_names, label_names, number in rows:
        if artist_names or label_names:
            yield NamedListing(
                listing_id=listing_id,
                release_id=_number(release) or 0,
                artist_names=artist_names,
                label_names=label_names,
                catalog_number=number,
            )


def record_lookups(session: Session, lookups: Sequence[Lookup]) -> None:
    """Record the result of looking releases up; an earlier result is replaced.

    A release that was found once and now is not stays found: its listings keep their links.
    """
    is_wanted = session.is_in("release_id", "ids")
    was_found: set[str] = set()
    for chunk in in_chunks([str(lookup.release_id) for lookup in lookups]):
        ids = session.one_of(chunk)
        known = session.execute(
            f"SELECT release_id FROM release_lookups WHERE outcome = :found AND {is_wanted}",  # noqa: S608
            found=Outcome.FOUND.value,
            ids=ids,
        )
        was_found.update(release_id for (release_id,) in known)
        session.execute(f"DELETE FROM release_lookups WHERE {is_wanted}", ids=ids)  # noqa: S608
    rows = [
        {
            "release_id": str(lookup.release_id),
            "outcome": _outcome_after(lookup, was_found),
            "source": lookup.source.value,
            "looked_up_at": session.moment(lookup.looked_up_at),
        }
        for lookup in lookups
    ]
    session.execute_all(
        "INSERT INTO release_lookups (release_id, outcome, source, looked_up_at) "
        "VALUES (:release_id, :outcome, :source, :looked_up_at)",
        rows,
    )


def _outcome_after(lookup: Lookup, was_found: set[str]) -> str:
    is_lost = lookup.credits is None and str(lookup.release_id) in was_found
    return Outcome.FOUND.value if is_lost else lookup.outcome.value


def load_coverage(session: Session, seller: str) -> Coverage:
    """Count how many listings are linked, and how many of them by name only."""
    groups = session.execute(
        f"SELECT {_IS_LINKED}, {_IS_BY_NAME}, count(*) FROM {_WITH_ENTRIES} "  # noqa: S608
        "WHERE l.seller = :seller GROUP BY 1, 2",
        seller=seller,
    )
    linked = total = by_name = 0
    for is_linked, is_by_name, count in groups:
        total += count
        linked += count if is_linked else 0
        by_name += count if is_by_name else 0
    waiting = session.value(
        f"SELECT count(DISTINCT l.release_id) FROM {_WITH_LOOKUPS} "  # noqa: S608 - our own names
        "WHERE l.seller = :seller AND l.release_id IS NOT NULL AND r.release_id IS NULL",
        seller=seller,
    )
    return Coverage(linked=linked, total=total, by_name=by_name, waiting=int(waiting))


def _number(text: str | None) -> int | None:
    """Read a release id; None for what is no number: another program may have written anything."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return int(text)
