"""Databases to run in: empty ones, and fresh copies of what a first load left.

A state is a directory, with the SQLite file in it, or with a Postgres database beside it.
"""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy.engine import make_url


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One database and the working directory that belongs to it."""

    name: str
    directory: Path
    url: str


class States(Protocol):
    """The states of one kind of database."""

    def make(self, name: str) -> State:
        """Make an empty one, in place of what had that name."""

    def copy(self, state: State, name: str) -> State:
        """Copy a state that no process uses."""

    def settle(self, state: State) -> None:
        """Do what the database would do soon after a load: statistics, vacuum, checkpoint."""


class SqliteStates:
    """States in SQLite files."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def make(self, name: str) -> State:
        """Make an empty directory: the file comes with the first run."""
        directory = _fresh(self._root / name)
        directory.mkdir(parents=True)
        return self._state(name)

    def copy(self, state: State, name: str) -> State:
        """Copy file and directory."""
        shutil.copytree(state.directory, _fresh(self._root / name))
        return self._state(name)

    def settle(self, state: State) -> None:
        """Bring the write-ahead log into the file."""
        path = state.directory / "shop.db"
        if path.exists():
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _state(self, name: str) -> State:
        directory = self._root / name
        return State(name=name, directory=directory, url=f"sqlite:///{directory / 'shop.db'}")


class PostgresStates:
    """States on a server; the databases' names begin with `discosync_benchmark_`."""

    def __init__(self, root: Path, server_url: str) -> None:
        self._root = root
        self._server_url = server_url

    def make(self, name: str) -> State:
        """Make an empty database."""
        return self._create(name, template="template0")

    def copy(self, state: State, name: str) -> State:
        """Copy a database on the server."""
        shutil.copytree(state.directory, _fresh(self._root / name))
        return self._create(name, template=_database(state.name))

    def settle(self, state: State) -> None:
        """Do what autovacuum and the checkpointer would do within minutes."""
        with psycopg.connect(state.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def drop_all(self) -> None:
        """Leave the server as it was."""
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            found = connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE 'discosync\\_benchmark\\_%'"
            ).fetchall()
            for (name,) in found:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    def _create(self, name: str, *, template: str) -> State:
        directory = self._root / name
        directory.mkdir(parents=True, exist_ok=True)
        database = _database(name)
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}"'.encode())
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"'.encode())
            connection.execute("CHECKPOINT")
        url = make_url(self._server_url).set(database=database)
        shown = url.render_as_string(hide_password=False)
        return State(name=name, directory=directory, url=shown)


def _database(name: str) -> str:
    return f"discosync_benchmark_{name}".replace("-", "_")


def _fresh(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    return directory
