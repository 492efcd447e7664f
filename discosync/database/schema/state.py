"""Which schema a database has; an hourly run compares one revision with one number."""

from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

from discosync.database.connection.engine import Database
from discosync.database.connection.session import Session
from discosync.errors import NotReady

_RUNS_SINCE = "0008"


class SchemaState(StrEnum):
    """How a database's schema compares with the one that this discosync needs."""

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
    with database.session() as session:
        return _revision(session)


def load_has_versions(database: Database) -> bool:
    """Whether Alembic has been here: its table stays, empty, after a downgrade to `base`."""
    if not database.exists:
        return False
    with database.session() as session:
        return session.has_table("alembic_version")


def _revision(session: Session) -> str | None:
    if not session.has_table("alembic_version"):
        return None
    revision = session.value("SELECT version_num FROM alembic_version")
    if revision is None or _is_a_shops(session, str(revision)):
        return None
    return str(revision)


def _is_a_shops(session: Session, revision: str) -> bool:
    """Whether a revision is one of the old shop's own: it may use Alembic, too.

    Every schema of ours has the table of runs, but for the first few, which we know.
    """
    known = known_revisions()
    # The newest one is that of every ordinary run: two questions less.
    if revision == known[-1] or (revision < _RUNS_SINCE and revision in known):
        return False
    return session.has_table("listings") and not session.has_table("sync_runs")


def load_state(database: Database) -> SchemaState:
    """Compare the database's schema with ours."""
    if not database.exists:
        return SchemaState.EMPTY
    with database.session() as session:
        revision = _revision(session)
        if revision is None:
            has_listings = session.has_table("listings")
            return SchemaState.OLD_SHOP if has_listings else SchemaState.EMPTY
    if revision == known_revisions()[-1]:
        return SchemaState.CURRENT
    return SchemaState.OUTDATED if revision in known_revisions() else SchemaState.NEWER


def require_usable(database: Database) -> SchemaState:
    """Return whether the schema is current or still to be made; raise `NotReady` otherwise."""
    state = load_state(database)
    if state in {SchemaState.CURRENT, SchemaState.EMPTY}:
        return state
    refuse_newer(database)
    if state is SchemaState.OLD_SHOP:
        raise NotReady(
            f"the database {database.shown} holds a table of listings that discosync did not make",
            hint="adopt it with `discosync db upgrade`, or name another one in DATABASE_URL",
            code="schema_foreign",
        )
    raise NotReady(
        f"the schema of {database.shown} is at revision {load_revision(database)}, this "
        f"discosync needs {known_revisions()[-1]}",
        hint="run `discosync db upgrade`",
        code="schema_behind",
    )


def refuse_newer(database: Database) -> None:
    """Raise `NotReady` for a database that a newer discosync has migrated."""
    if load_state(database) is SchemaState.NEWER:
        raise NotReady(
            f"the database {database.shown} was made by a newer discosync (revision "
            f"{load_revision(database)}; this one knows up to {known_revisions()[-1]})",
            hint="update discosync: pip install --upgrade discosync",
            code="schema_ahead",
        )
