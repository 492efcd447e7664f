"""Bring the schema to another revision; only this module knows Alembic."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from discosync.database.connection.engine import Database
from discosync.database.connection.session import Session
from discosync.database.schema.adoption import prepare_table
from discosync.database.schema.filling import Adopted, fill_in
from discosync.database.schema.making import make_new, migration_failed
from discosync.database.schema.own_entries import import_entries
from discosync.database.schema.own_names import OwnNames, give_back, load_own_names
from discosync.database.schema.own_views import load_views, triggers_aside, views_aside
from discosync.database.schema.row_check import check_rows, keep_rows_aside
from discosync.database.schema.sequences import add_sequence, count_ids_anew
from discosync.database.schema.state import (
    SchemaState,
    known_revisions,
    load_revision,
    load_state,
    migrations_dir,
)
from discosync.errors import DiscosyncError, MigrationFailed

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

    from discosync.database.connection.alchemy import AlchemySession

_LIFECYCLE_REVISION = "0003"
_SELLER_REVISION = "0004"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What an upgrade did to rows: listings that got a seller, prices that were rounded.

    `counted_anew` are tables whose sequence was behind their ids.
    """

    adopted: Adopted | None = None
    rounded_prices: int = 0
    counted_anew: tuple[str, ...] = ()


def upgrade_schema(database: Database, *, seller: str | None = None) -> Upgraded:
    """Bring the schema to the newest revision, and check that no row or value changes.

    An empty database is made from the tables, any other walks the migrations. Rows of a time before
    sellers were kept, an old shop's among them, are given `seller`. All or nothing: on either
    database it is one transaction. Raises `MigrationFailed`.
    """
    if load_state(database) is SchemaState.EMPTY and make_new(database):
        return Upgraded()
    return walk_migrations(database, seller=seller)


def walk_migrations(database: Database, *, seller: str | None = None) -> Upgraded:
    """Bring the schema to the newest revision, one migration after the other."""
    from alembic import command  # noqa: PLC0415 - 0.2 s

    state, revision, now = load_state(database), load_revision(database) or "", datetime.now(UTC)
    with _migration_errors(known_revisions()[-1]), database.migrating() as session:
        before = keep_rows_aside(session)
        with triggers_aside(session):
            own = load_own_names(session)
            if state is SchemaState.OLD_SHOP:
                own = prepare_table(session, now=now)
            with views_aside(session):
                config = _alembic_config(session.alchemy)
                if state is SchemaState.OLD_SHOP:
                    command.stamp(config, known_revisions()[0])
                command.upgrade(config, "head")
                adopted = None
                if before.rows.get("listings") and revision < _SELLER_REVISION:
                    adopted = _fill(session, own, revision, str(seller), now)
            if adopted is not None:
                adopted.stale_views = _stale_views(session, own)
            add_sequence(session)
            counted = count_ids_anew(session)
        rounded = check_rows(session, before, with_values=True, own=own)
    return Upgraded(adopted=adopted, rounded_prices=rounded, counted_anew=tuple(counted))


def _fill(
    session: "AlchemySession", own: OwnNames, revision: str, seller: str, now: datetime
) -> Adopted:
    """Fill in what the old shop's table lacks, and say what was decided on the way."""
    adopted = fill_in(
        session, own, seller=seller, now=now, with_lifecycle=revision < _LIFECYCLE_REVISION
    )
    adopted.entries = import_entries(session, own, now=now)
    return adopted


def _stale_views(session: "AlchemySession", own: OwnNames) -> list[str]:
    """Name the shop's views that read a column which has another name now."""
    names = "|".join(new for old, new in own.columns.items() if old not in own.staying)
    if not names:
        return []
    return [view for view, text in load_views(session) if re.search(rf"\b({names})\b", text)]


def needs_seller(database: Database) -> bool:
    """Whether there are listings without a seller, which an upgrade would give to one."""
    if (load_revision(database) or "") >= _SELLER_REVISION or not database.exists:
        return False
    with database.session() as session:
        if not session.has_table("listings"):
            return False
        return session.value("SELECT 1 FROM listings LIMIT 1") is not None


def downgrade_schema(database: Database, target: str) -> None:
    """Take the schema back to a revision or `base`; raise `MigrationFailed` if it fails."""
    from alembic import command  # noqa: PLC0415 - see above

    with _migration_errors(target), database.migrating() as session:
        before, own = keep_rows_aside(session), load_own_names(session)
        with triggers_aside(session):
            with views_aside(session):
                command.downgrade(_alembic_config(session.alchemy), target)
            if target == "base":
                give_back(session)
        check_rows(session, before, with_values=False, own=own)


def find_losses(database: Database, revisions: Sequence[str]) -> list[str]:
    """Count what undoing these revisions would lose; each migration names it in `loses`."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    losses = []
    script = ScriptDirectory.from_config(_alembic_config())
    with database.session() as session:
        own = load_own_names(session)
        for revision in revisions:
            for loss in getattr(script.get_revision(revision).module, "loses", ()):
                if loss.removeprefix("listings.") in own.staying:
                    continue  # the shop's own column stays
                losses += [said] if (said := _count_loss(session, loss)) else []
    return losses


def _count_loss(session: Session, loss: str) -> str | None:
    """Count a loss: `table`, `listings.column`, or `listings.column>N` for text that is cut."""
    table, _, column = loss.partition(".")
    name, _, length = column.partition(">")
    if length and session.is_sqlite:
        return None  # SQLite never enforced lengths, so that nothing is cut
    said, condition = f"{loss}: {{:,}} values", f"{name} IS NOT NULL"
    if not column:
        said, condition = f"{table}: {{:,}} row(s)", "true"
    elif name == "is_active":
        said = "listings.is_active: {:,} listings that are not for sale would look as if they were"
        condition = "NOT is_active"
    elif length:
        said, condition = (
            f"{table}.{name}: {{:,}} texts cut to {length}",
            f"length({name}) > {length}",
        )
    count = session.value(f"SELECT count(*) FROM {table} WHERE {condition}")  # noqa: S608 - our own names
    return said.format(count) if count else None


@contextmanager
def _migration_errors(target: str) -> Iterator[None]:
    from alembic.util import CommandError  # noqa: PLC0415 - see above

    try:
        yield
    except MigrationFailed:
        raise
    except (DiscosyncError, CommandError) as exc:
        raise migration_failed(target, exc) from exc


def _alembic_config(connection: "Connection | None" = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
