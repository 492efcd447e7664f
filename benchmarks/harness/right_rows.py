"""Whether a run left the right rows: what is for sale, at which price, with which comments."""

from decimal import Decimal

from sqlalchemy import create_engine, text

from benchmarks.harness.exports import ForSale


def find_fault(url: str, query: str, expected: ForSale) -> str:
    """Compare the rows that `query` gives with the file's; return what is wrong, or nothing."""
    found = _load(url, query)
    if lacking := expected.keys() - found.keys():
        return f"{len(lacking)} listings are lacking, one is {min(lacking)}"
    if surplus := found.keys() - expected.keys():
        return f"{len(surplus)} listings should be gone, one is {min(surplus)}"
    for listing_id, values in expected.items():
        if found[listing_id] != values:
            return f"{listing_id} is {found[listing_id]!r}, not {values!r}"
    return ""


def _load(url: str, query: str) -> ForSale:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            rows = connection.execute(text(query)).all()
    finally:
        engine.dispose()
    found = {
        int(listing_id): (Decimal(str(price)).quantize(Decimal("0.01")), comments or "")
        for listing_id, price, comments in rows
    }
    assert len(found) == len(rows), "a listing stands in the table twice"
    return found
