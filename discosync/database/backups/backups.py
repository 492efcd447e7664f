"""Backups: a consistent copy beside the database, verified by opening it and counting.

A SQLite backup is the whole file, other programs' tables included. A Postgres backup is of
discosync's own tables: the database may be the shop's, and the rest of it is not ours to take back.
"""

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from discosync.database.backups.leftovers import making_backup
from discosync.database.backups.postgres import (
    copy_postgres,
    count_postgres_copy,
    restore_postgres,
)
from discosync.database.backups.sqlite import (
    copy_sqlite,
    count_sqlite_copy,
    is_sound,
    restore_sqlite,
)
from discosync.database.connection.commits import committing
from discosync.database.connection.engine import Database
from discosync.database.connection.failures import DAMAGED
from discosync.database.connection.postgres_failures import says_what_to_type
from discosync.database.connection.soundness import find_damage
from discosync.database.schema.sequences import count_ids_anew
from discosync.database.schema.state import SchemaState, load_revision, load_state
from discosync.errors import BackupFailed, DiscosyncError, StorageFailed
from discosync.files.disk import is_no_file, remedy_of
from discosync.files.making import OWN_DIRECTORY, OWN_FILE, make_directory

KEPT = 10
"""How many backups of a database are kept; the newest."""

_NAME = re.compile(r"(?P<slug>.+)-\d{8}T\d{12}Z\.(db|dump)")
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One verified backup; `rows` counts every table in it, `revision` is its schema's."""

    path: Path
    made_at: datetime
    database: str
    revision: str | None
    why: str
    rows: Mapping[str, int]
    size_bytes: int
    sha256: str

    def to_json(self) -> dict[str, object]:
        """Give what the file beside the backup holds."""
        return {
            "file": self.path.name,
            "made_at": self.made_at.isoformat(),
            "database": self.database,
            "revision": self.revision,
            "why": self.why,
            "rows": dict(self.rows),
            "bytes": self.size_bytes,
            "sha256": self.sha256,
        }


def make_backup(
    database: Database, directory: Path, *, why: str, now: datetime, spare: Path | None = None
) -> Backup:
    """Back the database up and verify the copy; then delete old backups, but not `spare`.

    Raises `BackupFailed`; no half backup is left behind. Raises `StorageFailed` for a database that
    is damaged: its backups stay as they are.
    """
    try:
        return _make_backup(database, directory, why=why, now=now, spare=spare)
    except BackupFailed as exc:
        damage = database.path and database.path.exists() and _look_for_damage(database.path)
        if damage:
            raise damaged(database, directory, damage) from exc
        raise


def _look_for_damage(path: Path) -> str | None:
    try:
        return find_damage(path, thoroughly=True)
    except sqlite3.Error:  # whatever keeps us from looking is what kept the backup from being made
        return None


def damaged(database: Database, directory: Path, damage: str) -> StorageFailed:
    """Say that a database's file is damaged, and which backup to put back."""
    backups = list_backups(database, directory)
    way_out = (
        f"put the newest backup back: `discosync db restore {backups[-1].path.name}`; the next "
        "sync then brings it up to date"
        if backups
        else f"there is no backup in {directory}: keep the file, save from it what `sqlite3 FILE "
        "'.recover'` can, and let the next sync make a new one elsewhere"
    )
    return StorageFailed(
        f"the file {database.path} is damaged, so that the shop may see wrong listings, or none: "
        f"{damage}",
        hint=f"nothing was changed; check the disk, and {way_out}",
        code=DAMAGED,
    )


def _make_backup(
    database: Database, directory: Path, *, why: str, now: datetime, spare: Path | None
) -> Backup:
    suffix = "db" if database.is_sqlite else "dump"
    name = f"{_slug(database)}-{now:%Y%m%dT%H%M%S%f}Z.{suffix}"
    path, draft = directory / name, directory / f".{name}.part"
    with _failures(database, directory):
        make_directory(directory, OWN_DIRECTORY)
        with making_backup(directory, _slug(database)), ExitStack() as undoing:
            undoing.callback(draft.unlink, missing_ok=True)
            os.close(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, OWN_FILE))
            rows = (copy_sqlite if database.is_sqlite else copy_postgres)(database, draft)
            draft.chmod(OWN_FILE)
            _verify(draft, rows, is_sqlite=database.is_sqlite)
            backup = Backup(
                path=path,
                made_at=now,
                database=database.shown,
                revision=load_revision(database),
                why=why,
                rows=rows,
                size_bytes=draft.stat().st_size,
                sha256=_digest(draft),
            )
            undoing.callback(_beside(path).unlink, missing_ok=True)
            _write_beside(backup)
            draft.replace(path)
            undoing.pop_all()
        _prune(directory, _slug(database), spare)
    return backup


def verify_backup(backup: Backup) -> None:
    """Open a backup and count its rows; raise `BackupFailed` if it is not as it was made."""
    is_sqlite = backup.path.suffix == ".db"
    if backup.sha256 and _digest(backup.path) != backup.sha256:
        raise BackupFailed(
            f"{backup.path} is not the file that was verified when it was made (its SHA-256 "
            "differs)",
            hint="nothing was changed; take another backup: `discosync db list`",
        )
    _verify(backup.path, backup.rows, is_sqlite=is_sqlite)


def restore_backup(database: Database, backup: Backup) -> None:
    """Replace what the database holds with a backup, in one transaction."""
    with _failures(database, backup.path.parent):
        if database.is_sqlite != (backup.path.suffix == ".db"):
            raise BackupFailed(
                f"{backup.path.name} is a backup of another kind of database than {database.shown}",
                hint="nothing was changed; `discosync db list` shows the backups",
            )
        verify_backup(backup)
        # Both commit somewhere in the midst of it: a signal waits for the whole.
        with committing():
            (restore_sqlite if database.is_sqlite else restore_postgres)(database, backup.path)
        # A backup may be of rows that were copied with their ids, and that no sequence counted.
        with database.session(writes=not database.is_sqlite) as session:
            count_ids_anew(session)


def is_readable(database: Database) -> bool:
    """Whether the database exists and can be read, so that a backup can be made of it."""
    if database.path is not None:
        return database.path.exists() and is_sound(database.path)
    return load_state(database) is not SchemaState.EMPTY


def list_backups(database: Database, directory: Path) -> list[Backup]:
    """List this database's backups, oldest first."""
    slug = _slug(database)
    paths = sorted(directory.iterdir()) if directory.is_dir() else []
    return [load_backup(path) for path in paths if _slug_in(path) == slug]


def load_backup(path: Path) -> Backup:
    """Read the file beside a backup; raise `BackupFailed` for a path that is no backup."""
    try:
        # Reading a pipe could never end.
        is_none = is_no_file(path) or is_no_file(_beside(path))
        said = {} if is_none else json.loads(_beside(path).read_text(encoding="utf-8"))
        return Backup(
            path=path,
            made_at=datetime.fromisoformat(said["made_at"]),
            database=str(said["database"]),
            revision=said["revision"],
            why=str(said["why"]),
            rows={str(table): int(count) for table, count in said["rows"].items()},
            size_bytes=path.stat().st_size,
            sha256=str(said["sha256"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise BackupFailed(
            f"{path} is no backup of discosync, or {_beside(path).name} beside it is gone",
            hint="`discosync db list` shows the backups",
        ) from exc


def _slug(database: Database) -> str:
    """Make the beginning of a file name that tells the backups of several databases apart."""
    name = database.path.stem if database.path else str(database.url.database)
    digest = hashlib.sha256(database.shown.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)[:40]}-{digest}"


def _slug_in(path: Path) -> str | None:
    match = _NAME.fullmatch(path.name)
    # A pipe of such a name is somebody else's: reading it would never end.
    return match["slug"] if match and path.is_file() and _beside(path).is_file() else None


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _write_beside(backup: Backup) -> None:
    beside = _beside(backup.path)
    descriptor = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, OWN_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(backup.to_json(), file, indent=2)


def _verify(path: Path, expected: Mapping[str, int], *, is_sqlite: bool) -> None:
    found = count_sqlite_copy(path) if is_sqlite else count_postgres_copy(path)
    for table, count in expected.items():
        if found.get(table) != count:
            raise BackupFailed(
                f"the backup {path.name} holds {found.get(table, 0):,} rows of {table}, the "
                f"database {count:,}",
                hint="nothing was changed; is the disk healthy?",
            )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _prune(directory: Path, slug: str, spare: Path | None) -> None:
    """Delete all backups of this database but the newest ones and `spare`."""
    own = sorted(path for path in directory.iterdir() if _slug_in(path) == slug)
    for old in own[:-KEPT]:
        if spare is not None and old.samefile(spare):
            continue
        old.unlink(missing_ok=True)
        _beside(old).unlink(missing_ok=True)


@contextmanager
def _failures(database: Database, directory: Path) -> Iterator[None]:
    try:
        yield
    except BackupFailed:
        raise
    except DiscosyncError as exc:
        if says_what_to_type(exc):
            raise
        raise BackupFailed(exc.message, hint=exc.hint) from exc
    except OSError as exc:
        raise BackupFailed(
            f"the backup of {database.shown} in {directory} failed: {exc.strerror or exc}",
            hint=f"nothing was changed; {remedy_of(exc) or 'free some space there'}, or name "
            "another directory in BACKUP_DIR",
        ) from exc
