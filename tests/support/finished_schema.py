"""What a schema consists of, as statements, for `discosync.database.schema.making`.

    python -m tests.support.finished_schema

walks the migrations on a new SQLite file and on a Postgres of its own, and writes both files.
"""

import tempfile
from pathlib import Path

from sqlalchemy import Connection

from discosync.database.connection.engine import open_database
from discosync.database.schema import making
from discosync.database.schema.migrating import walk_migrations
from discosync.database.schema.state import known_revisions
from tests.support.postgres import running_postgres

# In the order in which they were made, save for what SQLite makes of itself.
_SQLITE = (
    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND substr(name, 1, 7) <> 'sqlite_' "
    "ORDER BY rowid"
)

# Each gives statements. `pretty` leaves the schema's name out.
_OWN = "relnamespace = current_schema()::regnamespace"
_POSTGRES = (
    # A column that counts is SERIAL: its sequence has the name that SERIAL gives.
    f"""
    SELECT format(E'CREATE TABLE %I (\\n%s\\n)', c.relname, string_agg(concat_ws(' ',
      '   ', quote_ident(a.attname),
      CASE WHEN pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%' THEN 'SERIAL'
        ELSE format_type(a.atttypid, a.atttypmod) END,
      CASE WHEN pg_get_expr(d.adbin, d.adrelid) NOT LIKE 'nextval(%'
        THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END,
      CASE WHEN a.attnotnull THEN 'NOT NULL' END), E',\\n' ORDER BY a.attnum))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.{_OWN} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    GROUP BY c.oid, c.relname ORDER BY c.relname
    """,
    # Keys that others point to before those that point.
    f"""
    SELECT format('ALTER TABLE %I ADD CONSTRAINT %I %s', c.relname, conname,
      pg_get_constraintdef(t.oid, true))
    FROM pg_constraint t JOIN pg_class c ON c.oid = conrelid
    WHERE c.{_OWN} AND contype IN ('p', 'u', 'c') ORDER BY c.relname, contype, conname
    """,
    f"""
    SELECT pg_get_indexdef(i.indexrelid, 0, true)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.{_OWN} AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid
      AND contype IN ('p', 'u'))
    ORDER BY c.relname
    """,
    f"""
    SELECT format('ALTER TABLE %I ADD CONSTRAINT %I %s', c.relname, conname,
      pg_get_constraintdef(t.oid, true))
    FROM pg_constraint t JOIN pg_class c ON c.oid = conrelid
    WHERE c.{_OWN} AND contype = 'f' ORDER BY c.relname, conname
    """,
    f"""
    SELECT format(E'CREATE VIEW %I AS\\n%s', relname, rtrim(pg_get_viewdef(oid), ';'))
    FROM pg_class c WHERE c.{_OWN} AND relkind = 'v' ORDER BY relname
    """,
    """
    SELECT rtrim(pg_get_functiondef(oid), E'\\n') FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace ORDER BY proname
    """,
    f"""
    SELECT pg_get_triggerdef(t.oid, true) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
    WHERE c.{_OWN} AND NOT tgisinternal ORDER BY c.relname, tgname
    """,
)


def render_schema(connection: Connection) -> str:
    """Render what is there as a script, with the revision it is at."""
    is_sqlite = connection.dialect.name == "sqlite"
    queries = (_SQLITE,) if is_sqlite else _POSTGRES
    found: list[str] = []
    for query in queries:
        found += connection.exec_driver_sql(query.replace("%", "%%")).scalars()
    (revision,) = connection.exec_driver_sql("SELECT version_num FROM alembic_version").one()
    found.append(f"INSERT INTO alembic_version (version_num) VALUES ('{revision}')")
    return "".join(f"{statement}{making.END}" for statement in found)


def _render(address: str) -> str:
    database = open_database(address, read_only=False, application="finished_schema")
    walk_migrations(database)
    with database.reading() as connection:
        return render_schema(connection)


def main() -> None:
    """Write both files anew; those of an older revision go."""
    with tempfile.TemporaryDirectory() as name, running_postgres() as server:
        scripts = {
            making.path_of(known_revisions()[-1], is_sqlite=is_sqlite): _render(address)
            for is_sqlite, address in (
                (True, f"sqlite:///{Path(name) / 'walked.db'}"),
                (False, server.create_database()),
            )
        }
    for old in making.FILES.glob("*.sql"):
        old.unlink()
    for path, script in scripts.items():
        path.write_text(script, "utf-8")


if __name__ == "__main__":
    main()
