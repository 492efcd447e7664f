"""Dump discosync's own tables with `pg_dump`, count what a dump holds, and put one back."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from discosync.database.connection.blockers import LOCK_SECONDS, load_lock_holders
from discosync.database.connection.engine import Database
from discosync.database.connection.postgres_failures import locked_out
from discosync.database.connection.session import Session
from discosync.database.schema.own_names import MARKER, load_own_names
from discosync.database.schema.own_views import load_dependents
from discosync.database.schema.tables import metadata
from discosync.errors import BackupFailed, NotReady
from discosync.files.temporary import temporary_directory

_VIEW = "active_listings"
_COPY = re.compile(r'COPY (?:"?[^".]+"?\.)?"?(?P<table>[^" ]+)"? \(.*\) FROM stdin;')


def copy_postgres(database: Database, draft: Path) -> dict[str, int]:
    """Dump our tables; return how many rows each had in the snapshot that was dumped."""
    tool = _find_tool("pg_dump")
    _refuse_pooler(database)
    with database.session() as session:
        tables = _own_tables(session)
        schema = session.value("SELECT current_schema()")
        rows = {
            name: int(session.value(f"SELECT count(*) FROM {name}"))  # noqa: S608 - our own names
            for name in tables
        }
        snapshot = session.value("SELECT pg_export_snapshot()")
        shown = [f'--table="{schema}"."{name}"' for name in (*tables, _VIEW)]
        address, environment = _address(database)
        command = [tool, address, "--format=custom", f"--snapshot={snapshot}", f"--file={draft}"]
        command.append(f"--lock-wait-timeout={LOCK_SECONDS}s")
        with _naming_lock_holders(database, tables, alone_only=True):
            _run([*command, *shown], environment)
    return rows


def count_postgres_copy(path: Path) -> dict[str, int]:
    """Read a dump back and count its rows, table by table."""
    command = [_find_tool("pg_restore"), "--data-only", "--file=-", str(path)]
    counts: dict[str, int] = {}
    table: str | None = None
    with subprocess.Popen(  # noqa: S603 - Postgres' own tool
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        if process.stdout is None or process.stderr is None:
            raise TypeError("no pipes")
        # A row is a line: COPY's text form escapes line ends.
        for line in iter(process.stdout.readline, ""):
            if table is None:
                begins = _COPY.match(line)
                table = begins["table"] if begins else None
                if table is not None:
                    counts[table] = 0
            elif line == "\\.\n":
                table = None
            else:
                counts[table] += 1
        said = process.stderr.read()
    if process.returncode != 0:
        raise BackupFailed(f"the backup {path} cannot be read back: {_shorten(said)}", hint="")
    return counts


def restore_postgres(database: Database, path: Path) -> None:
    """Drop our tables and make them again from a dump, in one transaction.

    The shop's own views and keys that point to our tables are made again, too.
    """
    psql, pg_restore = _find_tool("psql"), _find_tool("pg_restore")
    _refuse_pooler(database)
    with database.session() as session:
        tables = _own_tables(session)
        dependents = load_dependents(session, tables)
    with temporary_directory() as directory:
        files = [directory / name for name in ("drops.sql", "dump.sql", "dependents.sql")]
        drops, dump, again = files
        own = f"DROP TABLE {', '.join(tables)};\n" if tables else ""
        gone = [each.drop for each in reversed(dependents)]
        # While a program reads the tables, the drop waits, and whoever comes later behind it.
        begin = f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s';\n{database.locks.script}"
        _write_statements(drops, [begin, *gone, f"DROP VIEW IF EXISTS {_VIEW}"], own)
        made = [statement for each in dependents for statement in each.make]
        # A dump begins by emptying the search path.
        _write_statements(again, ["RESET search_path", *made])
        _run([pg_restore, "--no-owner", f"--file={dump}", str(path)], dict(os.environ))
        address, environment = _address(database)
        command = [
            psql,
            address,
            "--no-psqlrc",
            "--quiet",
            "--single-transaction",
            "--output=/dev/null",
        ]
        command += ["--set=ON_ERROR_STOP=1", *(f"--file={file}" for file in files)]
        with _naming_lock_holders(database, tables, alone_only=False):
            _run(command, environment)


def _refuse_pooler(database: Database) -> None:
    """Raise `NotReady` behind a pooler that shares connections between transactions.

    Postgres' own tools change settings of their session, and the pooler's next client, the shop
    itself, would meet them.
    """
    from discosync.database.connection.postgres import (  # noqa: PLC0415 - an extra
        shares_between_transactions,
    )

    with database.errors():
        if not shares_between_transactions(database.address):
            return
    raise NotReady(
        f"{database.shown} is behind a pooler in transaction mode, which Postgres' own tools for "
        "backups must not go through",
        hint="nothing was changed; for this command give the server's own address in DATABASE_URL",
        code="pooler",
    )


@contextmanager
def _naming_lock_holders(
    database: Database, tables: Sequence[str], *, alone_only: bool
) -> Iterator[None]:
    """When a tool waited too long for a lock, name who has it."""
    try:
        yield
    except BackupFailed as exc:
        if "lock timeout" not in exc.message:
            raise
        with database.session() as session:
            holders = load_lock_holders(session.driver, tables, alone_only=alone_only)
        if not holders:
            raise
        raise locked_out(database.address, *holders) from exc


def _write_statements(path: Path, statements: Sequence[str], more: str = "") -> None:
    lines = [f"{statement.rstrip().removesuffix(';')};\n" for statement in statements]
    path.write_text("".join(lines) + more, encoding="utf-8")


def _own_tables(session: Session) -> list[str]:
    """Name those of our tables that the database has, whatever the schema's revision."""
    known = {*metadata.tables, "alembic_version", MARKER, *load_own_names(session).tables.values()}
    return sorted(name for name in known if session.has_table(name))


def _find_tool(name: str) -> str:
    """Find one of Postgres' client programs; Debian keeps them outside of PATH."""
    found = shutil.which(name)
    if found is None:
        hidden = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        found = str(hidden[-1]) if hidden else None
    if found is None:
        raise BackupFailed(
            f"a backup of Postgres needs `{name}`, which is not installed",
            hint="nothing was changed; install Postgres' client programs (Debian: `apt install "
            "postgresql-client`), or make a backup your own way and add --no-backup",
            code="no_pg_dump",
        )
    return found


def _address(database: Database) -> tuple[str, dict[str, str]]:
    """Give the address for the tools: an option, and an environment with the password.

    Only what the address says: the driver's own library may know options that the tools do not.
    """
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - an extra

    named = database.url.translate_connect_args(username="user", database="dbname")
    options = {**named, **database.url.query}
    password = options.pop("password", None)
    secret = {"PGPASSWORD": str(password)} if password else {}
    return f"--dbname={make_conninfo(**options)}", {**os.environ, **secret}


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - Postgres' own tools
        command, env=dict(environment), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BackupFailed(
            f"{Path(command[0]).name} failed: {_shorten(done.stderr)}",
            hint="nothing was changed",
        )


def _shorten(said: str) -> str:
    return " ".join(said.split())[:300]
