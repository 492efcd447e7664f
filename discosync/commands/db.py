"""`discosync db`: the schema of the database."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from discosync.database.engine import Database, open_database
from discosync.database.lock import SCHEMA_LOCK, Holder, hold_lock
from discosync.database.schema import (
    SchemaState,
    known_revisions,
    load_revision,
    load_state,
    upgrade_schema,
)
from discosync.errors import NotReady
from discosync.settings import current_environment, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaReport:
    """Which schema a database has."""

    database: str
    state: str
    revision: str | None
    newest: str


def _open(config: Path | None, *, read_only: bool) -> Database:
    settings = load_settings(config=config, environ=current_environment())
    address = settings.database_url.reveal()
    return open_database(address, read_only=read_only, application="discosync db")


def _describe(database: Database) -> SchemaReport:
    return SchemaReport(
        database=database.shown,
        state=load_state(database).value,
        revision=load_revision(database),
        newest=known_revisions()[-1],
    )


def show_current(config: Path | None) -> SchemaReport:
    """Say which schema the database has, and which one this discosync needs."""
    return _describe(_open(config, read_only=True))


def upgrade(config: Path | None) -> SchemaReport:
    """Bring the schema to the newest revision; nothing to do is no error."""
    database = _open(config, read_only=False)
    state = load_state(database)
    if state is SchemaState.OLD_SHOP:
        raise NotReady(
            f"{database.shown} holds a table of listings without a schema version: this "
            "version cannot adopt it yet",
            hint="mirror into a new database: set DATABASE_URL to another file",
            code="schema_foreign",
        )
    if state is SchemaState.NEWER:
        raise NotReady(
            f"{database.shown} was made by a newer discosync (revision {load_revision(database)})",
            hint="update discosync: pip install --upgrade discosync",
            code="schema_ahead",
        )
    if state is not SchemaState.CURRENT:
        holder = Holder(command="discosync db upgrade", run_id="", started_at=datetime.now(UTC))
        with hold_lock(database, SCHEMA_LOCK, holder, wait_seconds=60):
            if load_state(database) is not SchemaState.CURRENT:
                upgrade_schema(database)
    return _describe(database)
