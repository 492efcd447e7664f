"""What schema a database has, and how to bring it to ours.

Alembic is imported only to migrate: an hourly run compares one version with one number.
"""

import logging
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from discosync.database.engine import Database
from discosync.errors import DiscosyncError, MigrationFailed, NotReady

if TYPE_CHECKING:
    from alembic.config import Config

_log = logging.getLogger(__name__)


class SchemaState(StrEnum):
    """How a database stands to this version of discosync."""

    EMPTY = "empty"
    CURRENT = "current"
    OUTDATED = "outdated"
    NEWER = "newer"
    OLD_SHOP = "old shop"


def migrations_dir() -> Path:
    """Find the migrations: inside the installed package, or beside it in a checkout."""
    packaged = Path(str(files("discosync"))) / "_migrations"
    return packaged if packaged.is_dir() else packaged.parents[1] / "migrations"


@cache
def known_revisions() -> tuple[str, ...]:
    """List the revisions that this version knows, oldest first; file names begin with them."""
    versions = (migrations_dir() / "versions").glob("[0-9]*.py")
    return tuple(sorted(path.name.partition("_")[0] for path in versions))


def load_revision(database: Database) -> str | None:
    """Read which revision the database is at; None when it has none."""
    if not database.exists:
        return None
    with database.reading() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def load_state(database: Database) -> SchemaState:
    """Compare the database's schema with ours."""
    if not database.exists:
        return SchemaState.EMPTY
    with database.reading() as connection:
        revision = _revision(connection)
        if revision is None:
            has_listings = inspect(connection).has_table("listings")
            return SchemaState.OLD_SHOP if has_listings else SchemaState.EMPTY
    if revision == known_revisions()[-1]:
        return SchemaState.CURRENT
    return SchemaState.OUTDATED if revision in known_revisions() else SchemaState.NEWER


def require_usable(database: Database) -> SchemaState:
    """Return whether the schema is current or still to be made; raise `NotReady` otherwise."""
    state = load_state(database)
    if state in {SchemaState.CURRENT, SchemaState.EMPTY}:
        return state
    newest = known_revisions()[-1]
    if state is SchemaState.NEWER:
        raise NotReady(
            f"the database {database.shown} was made by a newer discosync (revision "
            f"{load_revision(database)}; this one knows up to {newest})",
            hint="update discosync: pip install --upgrade discosync",
            code="schema_ahead",
        )
    if state is SchemaState.OLD_SHOP:
        raise NotReady(
            f"the database {database.shown} holds a table of listings that discosync did not make",
            hint="adopt it with `discosync db upgrade`, or name another one in DATABASE_URL",
            code="schema_foreign",
        )
    raise NotReady(
        f"the schema of {database.shown} is at revision {load_revision(database)}, this "
        f"discosync needs {newest}",
        hint="run `discosync db upgrade`",
        code="schema_behind",
    )


def upgrade_schema(database: Database) -> None:
    """Bring the schema to the newest revision; raise `MigrationFailed` when that fails.

    All or nothing: on either database the migrations run in one transaction.
    """
    from alembic import command  # noqa: PLC0415 - 0.2 s that an hourly run need not pay
    from alembic.util import CommandError  # noqa: PLC0415 - see above

    try:
        with database.migrating() as connection:
            command.upgrade(_alembic_config(connection), "head")
    except (DiscosyncError, CommandError) as exc:
        raise MigrationFailed(
            f"the schema could not be brought to {known_revisions()[-1]}: {exc}",
            hint="nothing was changed; mend the cause, then run `discosync db upgrade`",
        ) from exc


def _alembic_config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
