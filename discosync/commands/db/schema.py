"""`discosync db upgrade`, `downgrade` and `current`: the schema of the database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from discosync.commands.db.adopted import render_adopted
from discosync.commands.steps.directories import backup_dir
from discosync.core.reporting.hints import render_command
from discosync.database.backups.backups import make_backup
from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.lock import MAINTENANCE_LOCK, SCHEMA_LOCK, Holder, hold_lock
from discosync.database.past.checkpoints import make_checkpoints
from discosync.database.rows.sellers import load_sellers
from discosync.database.schema.adoption import find_obstacles
from discosync.database.schema.migrating import (
    Upgraded,
    downgrade_schema,
    find_losses,
    needs_seller,
    upgrade_schema,
)
from discosync.database.schema.sequences import count_ids_anew
from discosync.database.schema.state import (
    SchemaState,
    known_revisions,
    load_revision,
    load_state,
    refuse_newer,
)
from discosync.errors import LimitRefused, NotReady, StorageFailed, UsageFault
from discosync.settings import DatabaseSettings, current_environment, load_database_settings

_LOCK_WAIT_SECONDS = 60.0
"""How long a migration waits for runs that have already begun."""

_MAX_NAMED = 5
"""How many obstacles a refusal names; the others are only counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaReport:
    """The schema that a database has, and what was done to it just now."""

    database: str
    state: str
    revision: str | None
    newest: str
    backup: str | None = None
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, object]:
        """Return what `db current --json` shows."""
        return {
            "database": self.database,
            "state": self.state,
            "revision": self.revision,
            "newest": self.newest,
            "backup": self.backup,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationOptions:
    """How to migrate: the seller of an old shop's listings, and the safeguards to leave out."""

    config: Path | None = None
    seller: str | None = None
    target: str = ""
    without_backup: bool = False
    allow_loss: bool = False


def _settings(config: Path | None) -> DatabaseSettings:
    return load_database_settings(config=config, environ=current_environment())


def _open(settings: DatabaseSettings, *, read_only: bool) -> Database:
    address = settings.database_url.reveal()
    return open_database(address, read_only=read_only, application="discosync db")


def _describe(
    database: Database, *, backup: Path | None = None, notes: Sequence[str] = ()
) -> SchemaReport:
    return SchemaReport(
        database=database.shown,
        state=load_state(database).value,
        revision=load_revision(database),
        newest=known_revisions()[-1],
        backup=None if backup is None else str(backup),
        notes=tuple(notes),
    )


def show_current(config: Path | None) -> SchemaReport:
    """Return which schema the database has, and which one this discosync needs."""
    return _describe(_open(_settings(config), read_only=True))


def upgrade(options: MigrationOptions) -> SchemaReport:
    """Bring the schema to the newest revision; nothing to do is no error.

    A database with anything in it is backed up first. An old shop's is adopted: its listings are
    given to the seller, none of its values changes.
    """
    settings = _settings(options.config)
    database = _open(settings, read_only=False)
    # A newer discosync made that schema: this one does not know what is in it.
    refuse_newer(database)
    if load_state(database) is SchemaState.CURRENT:
        return _describe(database, notes=_count_ids_anew(database))
    with alone(database, "discosync db upgrade"):
        state = load_state(database)
        if state is SchemaState.CURRENT:  # another process has just done it
            return _describe(database)
        # Before the backup, which takes minutes: a row that cannot be adopted is found at once.
        if state is SchemaState.OLD_SHOP:
            _refuse_obstacles(database)
        seller = _seller(database, settings, options)
        backup = None
        if state is not SchemaState.EMPTY:
            backup = _back_up(database, settings, options, why="before db upgrade")
        upgraded = upgrade_schema(database, seller=seller)
        notes = [*_notes(upgraded, seller), *_make_checkpoints(database)]
    return _describe(database, backup=backup, notes=notes)


def _make_checkpoints(database: Database) -> Iterator[str]:
    """Make the checkpoints of the history so far, which `as-of` reads; say so when that fails.

    The new schema is committed by then: it is no failure of the upgrade.
    """
    try:
        with database.session(writes=True) as session:
            for seller in load_sellers(session):
                make_checkpoints(session, seller, before=datetime.now(UTC))
    except StorageFailed as exc:
        yield (
            f"the history is not packed, so `as-of` is slow: {exc.message}; when that is mended, "
            "`discosync db compact --apply` packs it"
        )


def downgrade(options: MigrationOptions) -> SchemaReport:
    """Take the schema back by some steps or to a revision.

    Raises `LimitRefused`, naming what would be lost, unless that is allowed.
    """
    settings = _settings(options.config)
    database = _open(settings, read_only=False)
    refuse_newer(database)
    with alone(database, "discosync db downgrade"):
        revision = load_revision(database)
        if revision is None:
            raise NotReady(
                f"{database.shown} has no schema of discosync, so there is none to take back",
                hint="`discosync db current` says where it stands",
                code="no_schema",
            )
        target, undone = _find_target(options.target, revision)
        losses = find_losses(database, undone)
        if losses and not options.allow_loss:
            again = render_command(["db", "downgrade", options.target, "--allow-loss"])
            raise LimitRefused(
                f"going back from {revision} to {target} would lose: {'; '.join(losses)}",
                hint=f"nothing was changed; if this is right, allow it once: {again}",
                code="would_lose",
            )
        backup = _back_up(database, settings, options, why=f"before db downgrade to {target}")
        downgrade_schema(database, target)
    return _describe(database, backup=backup, notes=[f"lost: {loss}" for loss in losses])


@contextmanager
def alone(database: Database, command: str) -> Iterator[None]:
    """Keep out every run that writes, and every other migration."""
    holder = Holder(command=command, run_id="", started_at=datetime.now(UTC))
    with (
        hold_lock(database, MAINTENANCE_LOCK, holder, wait_seconds=_LOCK_WAIT_SECONDS),
        hold_lock(database, SCHEMA_LOCK, holder, wait_seconds=_LOCK_WAIT_SECONDS),
    ):
        yield


def _refuse_obstacles(database: Database) -> None:
    obstacles = find_obstacles(database)
    if obstacles:
        more = f" … and {len(obstacles) - _MAX_NAMED:,} more" if len(obstacles) > _MAX_NAMED else ""
        raise NotReady(
            f"{database.shown} cannot be adopted: {'; '.join(obstacles[:_MAX_NAMED])}{more}",
            hint="nothing was changed; correct that, or set DATABASE_URL to a new database",
            code="cannot_adopt",
        )


def _seller(
    database: Database, settings: DatabaseSettings, options: MigrationOptions
) -> str | None:
    seller = options.seller or settings.seller
    if seller is None and needs_seller(database):
        raise NotReady(
            f"it is not known whose listings {database.shown} holds",
            hint="set DISCOGS_USERNAME to the seller's Discogs user name, or use --seller",
            code="no_seller",
        )
    return seller


def _back_up(
    database: Database, settings: DatabaseSettings, options: MigrationOptions, *, why: str
) -> Path | None:
    if options.without_backup:
        return None
    directory = backup_dir(settings.backup_dir, database)
    return make_backup(database, directory, why=why, now=datetime.now(UTC)).path


def _notes(upgraded: Upgraded, seller: str | None) -> Iterator[str]:
    if upgraded.adopted is not None:
        yield from render_adopted(upgraded.adopted, str(seller))
    yield from _note_counted(upgraded.counted_anew)
    if upgraded.rounded_prices:
        yield f"{upgraded.rounded_prices:,} prices had fractions of a cent and are rounded to it"


def _count_ids_anew(database: Database) -> list[str]:
    """Set right what somebody copied by hand: the rows came with their ids, no sequence counted."""
    with database.session(writes=not database.is_sqlite) as session:
        return list(_note_counted(count_ids_anew(session)))


def _note_counted(tables: Sequence[str]) -> Iterator[str]:
    if tables:
        yield f"the sequences of {', '.join(tables)} were behind the ids and are set right"


def _find_target(target: str, revision: str) -> tuple[str, list[str]]:
    """Read `-1`, a revision or `base`; return it, and the revisions to undo, newest first.

    Raises `UsageFault` for anything that is not before the present revision.
    """
    known = ["base", *known_revisions()]
    present = known.index(revision)
    if target.startswith("-") and target[1:].isascii() and target[1:].isdigit():
        wanted = present - int(target[1:])
    else:
        wanted = known.index(target) if target in known else -1
    if not 0 <= wanted < present:
        raise UsageFault(
            f"cannot go back from {revision} to {target!r}",
            hint=f"-1 is the last step; revisions to go to: {', '.join(known[:present])}",
            code="no_such_revision",
        )
    return known[wanted], known[present:wanted:-1]
