"""SQLAlchemy's way to the user's database."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from discosync.database.connection.connecting import begin_immediate, postgres_options
from discosync.database.connection.engine import WRITES

if TYPE_CHECKING:
    from discosync.database.connection.engine import Database


def make_engine(database: "Database") -> Engine:
    """Make an engine; it connects when first used, and keeps no connection."""
    if not database.is_sqlite:
        return create_engine(
            database.url.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            connect_args=postgres_options(database.application),
        )
    engine = create_engine("sqlite://", creator=database.connect, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITES, False):
            begin_immediate(connection.exec_driver_sql)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine
