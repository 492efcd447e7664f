"""Find out whose inventory `sync` and `compare` mean, lock it, and load how its last sync ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from discosync.commands.steps.locking import hold_run_locks
from discosync.commands.steps.opening import Target
from discosync.core.inventory.pacific import parse_export_name
from discosync.database.connection.engine import Database
from discosync.database.rows.sellers import resolve_seller
from discosync.database.runs.last_applied import LastApplied, load_last_applied
from discosync.database.schema.rights import require_rights
from discosync.database.schema.state import SchemaState, require_usable
from discosync.errors import AuthRefused, NotReady
from discosync.runner import Run
from discosync.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror(Target):
    """A target that a snapshot can be compared with; its database may still be empty.

    `last` is what the last applied sync left.
    """

    state: SchemaState
    last: LastApplied

    @property
    def filled_database(self) -> Database | None:
        """The database, if there is anything in it to compare with."""
        return self.database if self.state is SchemaState.CURRENT else None


@contextmanager
def open_mirror(
    run: Run, settings: Settings, database: Database, seller: str, *, wait_seconds: float
) -> Iterator[Mirror]:
    """Lock the seller, see that the database is ready, and load how the last sync left it.

    Raises `Locked` when somebody else has the lock, `NotReady` when the schema is another one.
    """
    run.findings.seller, run.findings.database = seller, database.shown
    with (
        hold_run_locks(run, database, seller, wait_seconds=wait_seconds),
        database.keeping_connection(),
    ):
        state, last = require_usable(database), LastApplied()
        # Before anything is fetched, because it would be for nothing.
        require_rights(database, state, writes=not run.request.dry_run)
        if state is SchemaState.CURRENT:
            with database.session() as session:
                # Discogs ignores case in names: the first spelling that was stored is kept.
                seller = run.findings.seller = resolve_seller(session, seller)
                last = load_last_applied(session, seller)
        yield Mirror(settings=settings, database=database, seller=seller, state=state, last=last)


def seller_of(settings: Settings, *, named: str | None, file: Path | None = None) -> str:
    """Say whose inventory is meant: `--seller`, the setting, or the file's own name.

    Raises `NotReady` when nobody says, `AuthRefused` when a file is named after somebody else
    than the setting.
    """
    by_name = parse_export_name(file.name) if file else None
    seller = named or settings.seller or (by_name[0] if by_name else None)
    if seller is None:
        raise NotReady(
            "there is no seller",
            hint="set DISCOGS_USERNAME to the seller's Discogs user name, or use --seller",
            code="no_seller",
        )
    if named is None and by_name is not None and by_name[0].casefold() != seller.casefold():
        raise AuthRefused(
            f"the file is an export of {by_name[0]!r}, the seller is {seller!r}",
            hint=f"add --seller {by_name[0]} if it is that shop's, or --seller {seller} if the "
            "name is wrong",
            code="not_this_seller",
        )
    return seller
