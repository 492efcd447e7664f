"""Make the schema of an empty database in one go: what the migrations leave, ready made.

The files hold no decision of their own: `python -m tests.support.finished_schema` writes them from
what the migrations make, and a test compares. Neither SQLAlchemy nor Alembic is needed.
"""

from pathlib import Path
from typing import Any

from discosync.database.connection.engine import Database
from discosync.database.schema.state import known_revisions
from discosync.errors import DiscosyncError, MigrationFailed

FILES = Path(__file__).with_name("finished_schema")
END = "\n;\n"
"""What ends a statement: a trigger holds semicolons, but none alone in a line."""


def path_of(revision: str, *, is_sqlite: bool) -> Path:
    """Tell where a revision's schema would be."""
    return FILES / f"{revision}-{'sqlite' if is_sqlite else 'postgres'}.sql"


def make_new(database: Database) -> bool:
    """Make an empty database's schema without the migrations, half a second sooner.

    Tell whether that could be done, see `make_at_once`. Raises `MigrationFailed`.
    """
    newest = known_revisions()[-1]
    try:
        with database.session(writes=True) as session:
            return make_at_once(session.cursor(), revision=newest, is_sqlite=session.is_sqlite)
    except DiscosyncError as exc:
        raise migration_failed(newest, exc) from exc


def migration_failed(target: str, cause: Exception) -> MigrationFailed:
    """Say that the schema could not be brought to a revision, and is as before."""
    return MigrationFailed(
        f"the schema could not be brought to {target}: {cause}",
        hint="nothing was changed; mend the cause, then run it again",
    )


def make_at_once(cursor: Any, *, revision: str, is_sqlite: bool) -> bool:  # noqa: ANN401 - DBAPI
    """Make the schema of `revision` inside the caller's transaction; tell whether that was done.

    Not where nothing is ready made for that revision, nor where Alembic has been before. Lets the
    driver's error out for a table that is in the way.
    """
    path = path_of(revision, is_sqlite=is_sqlite)
    if not path.exists() or _has_versions(cursor, is_sqlite=is_sqlite):
        return False
    script = path.read_text("utf-8")
    # The drivers differ: SQLite's takes one statement, Postgres' saves the ways there and back.
    for statement in script.split(END) if is_sqlite else [script]:
        cursor.execute(statement)
    return True


def _has_versions(cursor: Any, *, is_sqlite: bool) -> bool:  # noqa: ANN401 - DBAPI
    """Whether there is Alembic's table: a downgrade to `base` leaves it empty."""
    if is_sqlite:
        cursor.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
    else:
        cursor.execute("SELECT to_regclass('alembic_version')")
    found = cursor.fetchone()
    return found is not None and found[0] is not None
