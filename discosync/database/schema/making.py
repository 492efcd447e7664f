"""Make the newest schema in an empty database, from the tables and without the migrations."""

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, insert

from discosync.database.connection.engine import Database
from discosync.database.connection.postgres_failures import says_what_to_type
from discosync.database.schema.rights import require_rights
from discosync.database.schema.state import SchemaState, known_revisions, load_has_versions
from discosync.database.schema.tables import metadata
from discosync.errors import DiscosyncError, MigrationFailed

# As Alembic defines and fills it for `stamp`: importing Alembic for one row would take 0.1 s more.
_VERSIONS = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def make_new(database: Database) -> bool:
    """Make the schema in one transaction; tell whether that was done.

    It is not done where Alembic has been before: a downgrade to `base` leaves its table, and then
    the migrations have to be walked. Raises `MigrationFailed`, for a table that is in the way too,
    or an error that says what to type; the database is as before then.
    """
    if load_has_versions(database):
        return False
    require_rights(database, SchemaState.EMPTY, writes=True)
    newest = known_revisions()[-1]
    try:
        with database.alchemy_session(writes=True) as session:
            # `checkfirst` would take a table of the same name for ours, whatever its columns are.
            metadata.create_all(session.alchemy, checkfirst=False)
            _VERSIONS.create(session.alchemy)
            session.alchemy.execute(insert(_VERSIONS).values(version_num=newest))
    except DiscosyncError as exc:
        raise migration_failed(newest, exc) from exc
    return True


def migration_failed(target: str, cause: Exception) -> DiscosyncError:
    """Say that the schema could not be brought to a revision, and is as before.

    What says already what to type, a right that is lacking or a program in the way, stays as it is.
    """
    if isinstance(cause, DiscosyncError) and says_what_to_type(cause):
        return cause
    return MigrationFailed(
        f"the schema could not be brought to {target}: {cause}",
        hint="nothing was changed; mend the cause, then run it again",
    )
