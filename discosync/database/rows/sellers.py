"""Which sellers the database holds, and under which spelling."""

from collections.abc import Sequence

from discosync.database.connection.session import Session, in_chunks


def resolve_seller(session: Session, name: str) -> str:
    """Give the spelling under which a seller is stored, or else as it was named."""
    return find_seller(session, name) or name


def find_seller(session: Session, name: str) -> str | None:
    """Find the spelling under which a seller is stored: Discogs ignores case in names."""
    for table in ("sync_runs", "listings"):  # an adopted database has no run yet
        stored = session.value(
            f"SELECT seller FROM {table} WHERE lower(seller) = :name ORDER BY id LIMIT 1",  # noqa: S608
            name=name.lower(),
        )
        if stored:
            return str(stored)
    return None


def load_sellers(session: Session) -> list[str]:
    """Name the sellers of whom there are listings, in the order of their names."""
    found: list[str] = []
    next_seller = "SELECT min(seller) FROM listings WHERE seller > :last"
    # Hop from one seller to the next along the index: a DISTINCT would read every row.
    seller = session.value("SELECT min(seller) FROM listings")
    while seller is not None:
        found.append(str(seller))
        seller = session.value(next_seller, last=seller)
    return found


def count_shared(session: Session, seller: str, listing_ids: Sequence[int]) -> dict[str, int]:
    """Count these listings among those of every other seller; their index is by seller and id."""
    others = [name for name in load_sellers(session) if name != seller]
    statement = (
        "SELECT count(*) FROM listings WHERE seller = :seller AND "  # noqa: S608 - our own names
        f"{session.is_in('listing_id', 'ids')}"
    )
    return {
        other: sum(
            session.value(statement, seller=other, ids=session.one_of(list(map(str, chunk))))
            for chunk in in_chunks(listing_ids)
        )
        for other in others
    }


def load_has_sandbox(session: Session) -> bool:
    """Whether the database holds a seller of the sandbox, and so nobody else: the two never mix."""
    return session.value("SELECT id FROM sync_runs WHERE is_sandbox LIMIT 1") is not None


def load_has_real(session: Session) -> bool:
    """Whether the database holds a real seller, an adopted one without a run included."""
    if session.value("SELECT id FROM sync_runs WHERE NOT is_sandbox LIMIT 1") is not None:
        return True
    return (
        session.value(
            "SELECT id FROM listings WHERE seller NOT IN "
            "(SELECT seller FROM sync_runs WHERE is_sandbox) LIMIT 1"
        )
        is not None
    )
