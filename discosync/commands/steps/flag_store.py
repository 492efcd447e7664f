"""Open the database that keeps the flags; it need not hold an inventory."""

from pathlib import Path

from discosync.commands.steps.committing import make_schema_of
from discosync.database.connection.engine import Database, open_database
from discosync.database.flags.states import load_has_flags
from discosync.database.schema.state import SchemaState, load_state
from discosync.errors import NotReady
from discosync.files.making import GROUP_DIRECTORY, make_directory
from discosync.settings import current_environment, load_database_settings


def open_flags_to_write(config: Path | None) -> Database:
    """Open the database to change flags; an empty one gets its schema.

    Raises `NotReady` when the schema is older than the flags.
    """
    database = _open(config, read_only=False)
    if load_state(database) is SchemaState.EMPTY:
        # A flag may be switched off before the first sync, so that the first sync heeds it.
        if database.path is not None:
            make_directory(database.path.parent, GROUP_DIRECTORY)
        make_schema_of(database, command="discosync flags")
    elif not load_has_flags(database):
        raise NotReady(
            f"the database {database.shown} has no table for flags yet",
            hint="run `discosync db upgrade`; until then set the variable itself, as in "
            "USE_CSV_EXPORT=false",
            code="schema_behind",
        )
    return database


def open_flags_to_read(config: Path | None) -> Database:
    """Open the database to read flags."""
    return _open(config, read_only=True)


def _open(config: Path | None, *, read_only: bool) -> Database:
    # The settings of the database alone: a flag must be switched off even when others are wrong.
    settings = load_database_settings(config=config, environ=current_environment())
    address = settings.database_url.reveal()
    return open_database(address, read_only=read_only, application="discosync flags")
