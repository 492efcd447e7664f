"""Open the database for a command, and find out whose listings are meant."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from discosync.commands.steps.directories import report_dir
from discosync.core.reporting.hints import config_option
from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.session import Session
from discosync.database.rows.sellers import find_seller, load_sellers
from discosync.database.schema.state import SchemaState, require_usable
from discosync.errors import NotReady, UsageFault
from discosync.runner import Run
from discosync.settings import Settings, current_environment, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a run is about: one seller in one database, and the settings for that seller."""

    settings: Settings
    database: Database
    seller: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Target):
    """A target that is being read: `session` gives one consistent view of the database."""

    session: Session


def open_target(
    run: Run, config: Path | None, *, named: str | None, may_be_new: bool = False
) -> Target:
    """Open the database for a run that needs no snapshot, and find whose listings it means.

    `may_be_new` lets a seller be named who is not in the database yet. Raises `NotReady` when there
    is nothing to work on, `UsageFault` for an unknown seller.
    """
    settings = load_settings(config=config, environ=current_environment())
    run.set_up_logging(settings.log_format)
    run.findings.config_option = config_option(config)
    database = open_database(
        settings.database_url.reveal(),
        read_only=run.request.dry_run,
        application=f"discosync {run.request.command}",
    )
    run.findings.database = database.shown
    run.report_dir = report_dir(settings.report_dir, database)
    require_filled(database)
    with database.session() as session:
        seller = seller_in(session, named or settings.seller, may_be_new=may_be_new)
    run.findings.seller = seller
    return Target(settings=settings.for_seller(seller), database=database, seller=seller)


@contextmanager
def open_to_read(
    config: Path | None, *, seller: str | None, may_be_new: bool = False
) -> Iterator[Opened]:
    """Open the configured database for a command that only reads, which is no run.

    `may_be_new` lets a seller be named who is not in the database yet. Raises `NotReady` when there
    is nothing to read, `UsageFault` for an unknown seller.
    """
    settings = load_settings(config=config, environ=current_environment())
    address = settings.database_url.reveal()
    database = open_database(address, read_only=True, application="discosync")
    require_filled(database)
    with database.session() as session:
        name = seller_in(session, seller or settings.seller, may_be_new=may_be_new)
        yield Opened(settings=settings, database=database, session=session, seller=name)


def require_filled(database: Database) -> None:
    """Refuse a database that is not there, or has no schema yet, or not the right one."""
    if not database.exists or require_usable(database) is SchemaState.EMPTY:
        raise NotReady(
            f"there is nothing in {database.shown} yet",
            hint="check DATABASE_URL; the first `discosync sync` fills it",
            code="no_database",
        )


def seller_in(session: Session, named: str | None, *, may_be_new: bool = False) -> str:
    """Find the seller: the one named, or the only one that the database holds."""
    # The stored spelling counts, because Discogs ignores case in names.
    if named is not None and (found := find_seller(session, named)):
        return found
    if named is not None and may_be_new:
        return named
    sellers = load_sellers(session)
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
