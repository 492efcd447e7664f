"""Alembic's entry: on the connection that discosync hands over, or on `DATABASE_URL`."""

from alembic import context
from sqlalchemy import Connection

from discosync.database.connection.alchemy import AlchemySession
from discosync.database.connection.engine import open_database
from discosync.database.schema.own_names import load_own_names
from discosync.database.schema.tables import metadata
from discosync.settings import current_environment, load_settings


def migrate(connection: Connection) -> None:
    """Run the migrations inside the caller's transaction.

    Columns of ours that an old shop had itself are neither added nor dropped.
    """
    own = load_own_names(AlchemySession(connection)).staying
    context.config.attributes["own_columns"] = own
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_server_default=True,
    )
    context.run_migrations()


def main() -> None:
    """Find the connection and migrate it."""
    if context.is_offline_mode():
        raise SystemExit("discosync migrates a live database only: leave --sql out")
    connection = context.config.attributes.get("connection")
    if connection is not None:
        migrate(connection)
        return
    settings = load_settings(environ=current_environment())
    database = open_database(settings.database_url.reveal(), read_only=False, application="alembic")
    if database.path is not None:
        database.path.parent.mkdir(parents=True, exist_ok=True)
    with database.migrating() as session:
        migrate(session.alchemy)


main()
