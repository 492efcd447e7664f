"""`discosync db`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.frame import telling_errors
from discosync.cli.options import (
    GROUP_EPILOG,
    AsJson,
    Config,
    Seller,
    exit_statuses,
    read_age,
)
from discosync.cli.plain_values import PlainGroup
from discosync.errors import ExitStatus

if TYPE_CHECKING:
    from discosync.commands.db.compact import CompactReport
    from discosync.commands.db.schema import SchemaReport
    from discosync.console import Console

db_app = typer.Typer(
    cls=PlainGroup,
    help="The schema of the database, and its backups.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=GROUP_EPILOG,
    pretty_exceptions_enable=False,
)
app.add_typer(db_app, name="db")

_READS = (ExitStatus.OK, ExitStatus.INTERNAL, ExitStatus.USAGE, ExitStatus.NOT_READY)
_READ_EPILOG = exit_statuses(*_READS, ExitStatus.STORAGE, ExitStatus.INTERRUPTED)
_BACKUP_EPILOG = exit_statuses(
    *_READS, ExitStatus.STORAGE, ExitStatus.MIGRATION, ExitStatus.INTERRUPTED
)
_MIGRATE_EPILOG = exit_statuses(
    *_READS,
    ExitStatus.LOCKED,
    ExitStatus.STORAGE,
    ExitStatus.MIGRATION,
    ExitStatus.INTERRUPTED,
)
_DOWNGRADE_EPILOG = exit_statuses(
    *_READS,
    ExitStatus.LOCKED,
    ExitStatus.LIMIT,
    ExitStatus.STORAGE,
    ExitStatus.MIGRATION,
    ExitStatus.INTERRUPTED,
)

NoBackup = Annotated[
    bool, typer.Option("--no-backup", help="Make none first; you have your own way back.")
]


@db_app.command(epilog=_READ_EPILOG)
def current(config: Config = None, *, as_json: AsJson = False) -> None:
    """Say which schema the database has."""
    from discosync.commands.db.schema import show_current  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    with telling_errors(console):
        _show(console, show_current(config))


@db_app.command(epilog=_MIGRATE_EPILOG)
def upgrade(
    *,
    seller: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose listings an old shop's database holds."),
    ] = None,
    no_backup: NoBackup = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Bring the schema to the newest revision, after a backup.

    An old shop's database is adopted: nothing in it is lost or changed, the seller is filled in.
    """
    from discosync.commands.db import schema as db  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    options = db.MigrationOptions(config=config, seller=seller, without_backup=no_backup)
    with telling_errors(console):
        _show(console, db.upgrade(options))


@db_app.command(
    epilog=_DOWNGRADE_EPILOG,
    context_settings={"ignore_unknown_options": True},  # or -1 would be taken for an option
)
def downgrade(
    to: Annotated[
        str, typer.Argument(metavar="-1|REVISION", help="Steps back, a revision, or base.")
    ],
    *,
    allow_loss: Annotated[
        bool, typer.Option("--allow-loss", help="Once: what these steps hold may be lost.")
    ] = False,
    no_backup: NoBackup = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take the schema back, after a backup.

    What would be lost is counted and named first, and wants --allow-loss.
    """
    from discosync.commands.db import schema as db  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    options = db.MigrationOptions(
        config=config, target=to, without_backup=no_backup, allow_loss=allow_loss
    )
    with telling_errors(console):
        _show(console, db.downgrade(options))


@db_app.command(epilog=_MIGRATE_EPILOG)
def compact(
    *,
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Thin the months that ended this long ago.")
    ] = "90d",
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without this it is only shown.")
    ] = False,
    no_backup: NoBackup = False,
    seller: Seller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Thin the older history: what a listing went through in a month becomes one change.

    Sales, removals and returns all stay, with their moments.
    """
    from discosync.commands.db import compact as command  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    request = command.CompactRequest(
        older_than=read_age(older_than, "--older-than"),
        seller=seller,
        is_applied=apply,
        without_backup=no_backup,
        config=config,
    )
    with telling_errors(console):
        _show_compact(console, command.compact(request))


@db_app.command(epilog=_BACKUP_EPILOG)
def backup(config: Config = None, *, as_json: AsJson = False) -> None:
    """Make a backup now, verified by opening it and counting; runs go on meanwhile."""
    from discosync.commands.db.backups import back_up  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    with telling_errors(console):
        made = back_up(config)
        if as_json:
            console.show_json({**made.to_json(), "file": str(made.path)})
        else:
            console.show_text(f"{made.path} ({sum(made.rows.values()):,} rows, verified)")


@db_app.command("list", epilog=_BACKUP_EPILOG)
def list_(config: Config = None, *, as_json: AsJson = False) -> None:
    """List the backups of the database, oldest first."""
    from discosync.commands.db.backups import list_all  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy
    from discosync.render.diff import render_size  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    with telling_errors(console):
        backups = list_all(config)
        if as_json:
            found = [{**b.to_json(), "file": str(b.path)} for b in backups]
            console.show_json({"backups": found})
            return
        console.show_table(
            ("made (UTC)", "schema", "listings", "size", "why", "file"),
            [
                (
                    f"{b.made_at:%Y-%m-%d %H:%M:%S}",
                    b.revision or "old shop",
                    f"{b.rows.get('listings', 0):,}",
                    render_size(b.size_bytes),
                    b.why,
                    b.path.name,
                )
                for b in backups
            ],
        )
        console.show_text(f"in {backups[-1].path.parent}" if backups else "there is no backup yet")


@db_app.command(epilog=_MIGRATE_EPILOG)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As `db list` names it.")],
    *,
    no_backup: NoBackup = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup in place of the database, after backing that up.

    On SQLite the whole file, other programs' tables in it included; on Postgres discosync's own
    tables.
    """
    from discosync.commands.db.backups import restore as restore_backup  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    with telling_errors(console):
        restored = restore_backup(config, file, without_backup=no_backup)
        before = None if restored.before is None else str(restored.before)
        if as_json:
            console.show_json({"restored": str(restored.backup.path), "before": before})
            return
        console.show_text(
            f"restored {restored.backup.path}, made {restored.backup.made_at:%Y-%m-%d %H:%M:%S} UTC"
        )
        if before:
            console.show_text(f"what was there before is in {before}")


def _show_compact(console: "Console", report: "CompactReport") -> None:
    from discosync.render.diff import render_size  # noqa: PLC0415 - heavy

    if console.as_json:
        console.show_json(report.to_json())
        return
    console.show_table(
        ("seller", "month", "changes", "left of them"),
        [(m.seller, m.month, f"{m.rows_before:,}", f"{m.rows_after:,}") for m in report.months],
    )
    became = "became" if report.is_applied else "would become"
    console.show_text(f"{report.rows_before:,} changes {became} {report.rows_after:,}")
    size = render_size(report.bytes_before)
    if report.bytes_after is not None:
        size = f"{size} became {render_size(report.bytes_after)}"
    console.show_text(f"{report.database} takes {size}")
    if report.backup is not None:
        console.show_text(f"what was there before is in {report.backup}")
    if report.space_kept_because is not None:
        console.note(
            f"the space was not given back: {report.space_kept_because}; new changes will fill it"
        )
    if not report.is_applied and report.rows_after < report.rows_before:
        console.note("nothing was changed; --apply does it, after a backup")


def _show(console: "Console", report: "SchemaReport") -> None:
    if console.as_json:
        console.show_json(report.to_json())
        return
    shown = {name: getattr(report, name) for name in ("database", "state", "revision", "newest")}
    console.show_fields({**shown, **({"backup": report.backup} if report.backup else {})})
    for note in report.notes:
        console.show_text(note)
