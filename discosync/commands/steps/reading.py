"""How a command that only reads gets at the database, and finds out whose listings are meant."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.session import session_over
from discosync.database.past.history import load_sellers
from discosync.database.rows.store import find_seller
from discosync.database.schema.state import SchemaState, require_usable
from discosync.errors import NotReady, UsageFault
from discosync.settings import Settings, current_environment, load_settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A database being read: one consistent view of it, and the seller that is meant."""

    settings: Settings
    database: Database
    connection: Connection
    seller: str


@contextmanager
def opened(
    config: Path | None, *, seller: str | None, may_be_new: bool = False
) -> Iterator[Opened]:
    """Open the configured database for reading; raise `NotReady` when there is nothing to read.

    `may_be_new` lets a seller be named of whom nothing is known yet.
    """
    settings = load_settings(config=config, environ=current_environment())
    address = settings.database_url.reveal()
    database = open_database(address, read_only=True, application="discosync")
    require_filled(database)
    with database.reading() as connection:
        named = seller or settings.seller
        name = seller_in(connection, named, may_be_new=may_be_new)
        yield Opened(settings=settings, database=database, connection=connection, seller=name)


def require_filled(database: Database) -> None:
    """Refuse a database that is not there, or has no schema yet, or not the right one."""
    if not database.exists or require_usable(database) is SchemaState.EMPTY:
        raise NotReady(
            f"there is nothing in {database.shown} yet",
            hint="check DATABASE_URL; the first `discosync sync` fills it",
            code="no_database",
        )


def refuse_nameless_run(run_id: str) -> None:
    """Refuse an empty name: every run begins with it."""
    if not run_id.strip():
        raise UsageFault("no run is named", hint="`discosync runs` lists them", code="no_such_run")


def only_run(found: Sequence[T], run_id: str) -> T:
    """Give the one run that was found by the beginning of its id."""
    if len(found) == 1:
        return found[0]
    raise UsageFault(
        f"{'several runs begin' if found else 'no run begins'} with {run_id!r}",
        hint="`discosync runs` lists them",
        code="no_such_run",
    )


def seller_in(connection: Connection, named: str | None, *, may_be_new: bool = False) -> str:
    """Find the seller: the one named, or the only one that the database holds."""
    if named is not None and (found := find_seller(session_over(connection), named)):
        return found
    if named is not None and may_be_new:
        return named
    sellers = load_sellers(connection)
    if named is not None:
        raise UsageFault(
            f"nothing is known of a seller {named!r}; the database holds "
            f"{', '.join(sellers[:10]) or 'none yet'}",
            hint="check --seller or DISCOGS_USERNAME; a seller comes in with the first sync",
            code="unknown_seller",
        )
    if len(sellers) == 1:
        return sellers[0]
    raise NotReady(
        f"the database holds {len(sellers)} sellers: {', '.join(sellers[:10])}"
        if sellers
        else "the database holds no seller yet, and none is named",
        hint="name one with --seller, or set DISCOGS_USERNAME",
        code="no_seller",
    )
