"""`discosync restore`: take back deactivations, all that one run did, or a purge."""

from discosync.commands.restoring.from_archive import restore_from_archive
from discosync.commands.restoring.from_history import restore_from_history
from discosync.commands.restoring.request import RestoreRequest
from discosync.runner import Run


def restore(run: Run, request: RestoreRequest) -> None:
    """Restore from an archive, which has what a purge deleted, or from the history."""
    if request.archive is not None:
        restore_from_archive(run, request, request.archive)
    else:
        restore_from_history(run, request)
