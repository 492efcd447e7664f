"""`discosync db`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli.exit_statuses import READ_STATUSES, exit_statuses
from discosync.cli.frame import answering
from discosync.cli.groups import add_group
from discosync.cli.options import AnySeller, AsJson, Config, NoBackup, read_age
from discosync.cli.plain_values import PlainCommand
from discosync.errors import ExitStatus

if TYPE_CHECKING:
    from discosync.commands.db.compact import CompactReport
    from discosync.commands.db.schema import SchemaReport
    from discosync.console import Console

db_app = add_group("db", "Manage the database's schema, its backups and its history.")

_BACKUP_STATUSES = READ_STATUSES | {ExitStatus.MIGRATION}
_CHANGE_STATUSES = _BACKUP_STATUSES | {ExitStatus.LOCKED}


@db_app.command(cls=PlainCommand, epilog=exit_statuses(READ_STATUSES))
def current(config: Config = None, *, as_json: AsJson = False) -> None:
    """Show which schema the database has."""
    from discosync.commands.db.schema import show_current  # noqa: PLC0415 - heavy

    with answering(as_json=as_json) as console:
        _show(console, show_current(config))


@db_app.command(cls=PlainCommand, epilog=exit_statuses(_CHANGE_STATUSES))
def upgrade(
    *,
    seller: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The seller of the listings in an old shop's database."),
    ] = None,
    no_backup: NoBackup = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Upgrade the schema to the newest revision.

    A backup is made first. A database of the old shop is adopted: nothing in it is lost, what it
    had marked as gone stays gone, and the seller is filled in.
    """
    from discosync.commands.db import schema as db  # noqa: PLC0415 - heavy

    options = db.MigrationOptions(config=config, seller=seller, without_backup=no_backup)
    with answering(as_json=as_json) as console:
        _show(console, db.upgrade(options))


@db_app.command(
    cls=PlainCommand,
    epilog=exit_statuses(_CHANGE_STATUSES | {ExitStatus.LIMIT}),
    context_settings={"ignore_unknown_options": True},  # else -1 would be an unknown option
)
def downgrade(
    to: Annotated[
        str,
        typer.Argument(metavar="-1|REVISION", help="How many steps back, or a revision, or base."),
    ],
    *,
    allow_loss: Annotated[
        bool,
        typer.Option(
            "--allow-loss", help="This run only: allow the loss of what these steps added."
        ),
    ] = False,
    no_backup: NoBackup = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take the schema back to an older revision.

    A backup is made first. Data that would be lost is counted and named, and refused without
    --allow-loss.
    """
    from discosync.commands.db import schema as db  # noqa: PLC0415 - heavy

    options = db.MigrationOptions(
        config=config, target=to, without_backup=no_backup, allow_loss=allow_loss
    )
    with answering(as_json=as_json) as console:
        _show(console, db.downgrade(options))


@db_app.command(cls=PlainCommand, epilog=exit_statuses(_CHANGE_STATUSES))
def compact(
    *,
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Thin the months that ended longer ago than this.")
    ] = "90d",
    apply: Annotated[
        bool, typer.Option("--apply", help="Write it; without it the result is only shown.")
    ] = False,
    no_backup: NoBackup = False,
    seller: AnySeller = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Thin the older history.

    What changed in a listing within one month becomes one change. Sales, removals and returns all
    stay, with their times. A backup is made first.
    """
    from discosync.commands.db import compact as command  # noqa: PLC0415 - heavy

    request = command.CompactRequest(
        older_than=read_age(older_than, "--older-than"),
        seller=seller,
        is_applied=apply,
        without_backup=no_backup,
        config=config,
    )
    with answering(as_json=as_json) as console:
        _show_compact(console, command.compact(request))


@db_app.command(cls=PlainCommand, epilog=exit_statuses(_BACKUP_STATUSES))
def backup(config: Config = None, *, as_json: AsJson = False) -> None:
    """Make a backup now, and verify it.

    It is opened and its rows are counted. Runs may go on meanwhile.
    """
    from discosync.commands.db.backups import back_up  # noqa: PLC0415 - heavy

    with answering(as_json=as_json) as console:
        made = back_up(config)
        if as_json:
            console.show_json({**made.to_json(), "file": str(made.path)})
        else:
            console.show_text(f"{made.path} ({sum(made.rows.values()):,} rows, verified)")


@db_app.command("list", cls=PlainCommand, epilog=exit_statuses(_BACKUP_STATUSES))
def list_(config: Config = None, *, as_json: AsJson = False) -> None:
    """List the backups of the database, oldest first."""
    from discosync.commands.db.backups import list_all  # noqa: PLC0415 - heavy
    from discosync.render.size import render_size  # noqa: PLC0415 - heavy

    with answering(as_json=as_json) as console:
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


@db_app.command(cls=PlainCommand, epilog=exit_statuses(_CHANGE_STATUSES))
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup, as `db list` shows it.")],
    *,
    no_backup: NoBackup = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Replace the database with a backup.

    A backup of the present state is made first. On SQLite the whole file is replaced, with other
    programs' tables in it; on Postgres only discosync's own tables are.
    """
    from discosync.commands.db.backups import restore as restore_backup  # noqa: PLC0415 - heavy

    with answering(as_json=as_json) as console:
        restored = restore_backup(config, file, without_backup=no_backup)
        before = None if restored.before is None else str(restored.before)
        if as_json:
            console.show_json({"restored": str(restored.backup.path), "before": before})
            return
        console.show_text(
            f"restored {restored.backup.path}, made {restored.backup.made_at:%Y-%m-%d %H:%M:%S} UTC"
        )
        if before:
            console.show_text(f"the database as it was before is in {before}")


def _show_compact(console: "Console", report: "CompactReport") -> None:
    from discosync.render.size import render_size  # noqa: PLC0415 - heavy

    if console.as_json:
        console.show_json(report.to_json())
        return
    console.show_table(
        ("seller", "month", "changes", "changes left"),
        [(m.seller, m.month, f"{m.rows_before:,}", f"{m.rows_after:,}") for m in report.months],
    )
    became = "became" if report.is_applied else "would become"
    console.show_text(f"{report.rows_before:,} changes {became} {report.rows_after:,}")
    size = render_size(report.bytes_before)
    if report.bytes_after is not None:
        size = f"{size} became {render_size(report.bytes_after)}"
    console.show_text(f"{report.database} takes {size}")
    if report.backup is not None:
        console.show_text(f"the database as it was before is in {report.backup}")
    if report.space_kept_because is not None:
        console.note(
            f"the space was not given back to the disk: {report.space_kept_because}; "
            "new changes will use it"
        )
    if not report.is_applied and report.rows_after < report.rows_before:
        console.note("nothing was changed; --apply writes it, after a backup")


def _show(console: "Console", report: "SchemaReport") -> None:
    if console.as_json:
        console.show_json(report.to_json())
        return
    shown = {name: getattr(report, name) for name in ("database", "state", "revision", "newest")}
    console.show_fields({**shown, **({"backup": report.backup} if report.backup else {})})
    for note in report.notes:
        console.show_text(note)
