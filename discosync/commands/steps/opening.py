"""How a run that needs no snapshot gets at the database, and finds out whose listings it means."""

from dataclasses import replace
from pathlib import Path

from discosync.commands.steps.directories import report_dir
from discosync.commands.steps.reading import require_filled, seller_in
from discosync.core.reporting.hints import config_option
from discosync.database.connection.engine import Database, open_database
from discosync.runner import Run, RunRequest
from discosync.settings import Settings, current_environment, load_settings


def open_for_run(
    run: Run,
    request: RunRequest,
    config: Path | None,
    *,
    named: str | None,
    may_be_new: bool = False,
) -> tuple[Settings, Database]:
    """Open the database for a run that needs no snapshot, and find whose listings it means.

    `may_be_new` lets a seller be named of whom nothing is known yet.
    """
    settings = load_settings(config=config, environ=current_environment())
    run.set_up_logging(settings.log_format)
    run.config_option = config_option(config)
    database = open_database(
        settings.database_url.reveal(),
        read_only=request.dry_run,
        application=f"discosync {request.command}",
    )
    run.database = database.shown
    run.request = replace(request, report_dir=report_dir(settings.report_dir, database))
    require_filled(database)
    with database.reading() as connection:
        run.seller = seller_in(connection, named or settings.seller, may_be_new=may_be_new)
    return settings.for_seller(run.seller), database
