"""Whether a run left the right rows: what is for sale, at which price, with which comments."""

from decimal import Decimal

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from benchmarks.harness.exports import ForSale

_CENT = Decimal("0.01")


def find_fault(url: str, query: str, expected: ForSale) -> str:
    """Compare the rows that `query` gives with the file's; return what is wrong, or nothing."""
    try:
        rows = _load(url, query)
    except DBAPIError as exc:
        return f"nothing to read: {exc.orig}"
    found = dict(rows)
    if len(found) != len(rows):
        return f"{len(rows) - len(found)} listings are there twice"
    if lacking := expected.keys() - found.keys():
        return f"{len(lacking)} listings are lacking, one is {min(lacking)}"
    if surplus := found.keys() - expected.keys():
        return f"{len(surplus)} listings should be gone, one is {min(surplus)}"
    for listing_id, values in expected.items():
        if found[listing_id] != values:
            return f"{listing_id} is {found[listing_id]!r}, not {values!r}"
    return ""


def _load(url: str, query: str) -> list[tuple[int, tuple[Decimal, str]]]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            rows = connection.execute(text(query)).all()
    finally:
        engine.dispose()
    return [
        (int(listing_id), (Decimal(str(price)).quantize(_CENT), comments or ""))
        for listing_id, price, comments in rows
    ]
