"""What a database on Postgres must allow, asked before a run fetches anything.

A run that found it out while it writes would have fetched an inventory for nothing.
"""

from discosync.database.connection.engine import Database
from discosync.database.connection.postgres_failures import (
    grant_create,
    grant_on_tables,
    grant_temporary,
    lacks_rights,
    not_utf8,
)
from discosync.database.schema.state import SchemaState

_ENCODINGS = ("UTF8", "SQL_ASCII")

_WRITTEN_BY_SYNC = {
    "listings": "INSERT, UPDATE",
    "listing_changes": "INSERT",
    "sync_runs": "INSERT, UPDATE",
    "history_checkpoints": "INSERT, UPDATE, DELETE",
    "snapshot_marks": "INSERT, DELETE",
    "record_digests": "INSERT, DELETE",
    "snapshot_passages": "INSERT, DELETE",
    "feature_flags": "INSERT, UPDATE",
    "flag_events": "INSERT",
}
"""Which rights a sync uses on each of its tables, beside reading it."""

_ASKED = """
SELECT current_setting('server_encoding'), coalesce(current_schema(), ''),
  has_database_privilege(current_database(), 'TEMPORARY'),
  coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
"""

# A right on columns is as good as one on the table, where there is one; for DELETE there is none.
_LACKING = """
SELECT t, r FROM unnest(CAST(:tables AS text[]), CAST(:rights AS text[])) AS asked (t, rights)
  CROSS JOIN LATERAL regexp_split_to_table('SELECT, ' || rights, ', ') AS r
WHERE to_regclass(t) IS NOT NULL AND NOT CASE r
  WHEN 'DELETE' THEN has_table_privilege(t, r) ELSE has_any_column_privilege(t, r) END
UNION ALL
SELECT s, 'USAGE' FROM (
  SELECT pg_get_serial_sequence(t, 'id') FROM
    unnest(CAST(ARRAY['listings', 'listing_changes', 'sync_runs'] AS text[])) t
  WHERE to_regclass(t) IS NOT NULL
) AS owned (s) WHERE s IS NOT NULL AND NOT has_sequence_privilege(s, 'USAGE')
"""


def require_rights(database: Database, state: SchemaState, *, writes: bool) -> None:
    """See that a sync can write here: every letter, and with the rights of this role.

    Raises `NotReady` for a database that is not in UTF-8, `StorageFailed` for rights that are
    lacking, with the statements that give them. SQLite knows neither.
    """
    if database.is_sqlite:
        return
    address = database.address
    with database.session() as session:
        encoding, schema, may_make_temporary, may_create = session.execute(_ASKED).fetchone()
        if encoding not in _ENCODINGS:
            raise not_utf8(address, encoding)
        lacking: list[tuple[str, str]] = []
        if writes and state is not SchemaState.EMPTY:
            rights = {"tables": list(_WRITTEN_BY_SYNC), "rights": list(_WRITTEN_BY_SYNC.values())}
            lacking = session.execute(_LACKING, **rights).fetchall()
    if not writes:
        return
    lacks = [f"{right} on {name}" for name, right in lacking]
    statements: list[str] = []
    if lacks:
        statements += grant_on_tables(address, schema)
    if state is SchemaState.EMPTY and not may_create:
        lacks.append(f"CREATE in the schema {schema or 'public'}")
        statements.append(grant_create(address, schema or "public"))
    if not may_make_temporary:
        lacks.append("TEMPORARY in this database")
        statements.append(grant_temporary(address))
    if lacks:
        raise lacks_rights(address, ", ".join(lacks), *statements)
