"""`discosync enrich`: link listings to artists and labels."""

from discosync.commands.enriching.request import EnrichRequest
from discosync.commands.enriching.task import EnrichTask
from discosync.commands.steps.locking import hold_enrich_locks
from discosync.commands.steps.opening import open_target
from discosync.commands.steps.run_flags import flags_of_run
from discosync.core.flags import Flag
from discosync.core.reporting.findings import Problem
from discosync.database.schema.state import SchemaState
from discosync.runner import Run


def enrich(run: Run, request: EnrichRequest) -> None:
    """Link listings to artists and labels.

    1. Lock out other enrichers (syncs go on); see what there is to do and what it costs.
    2. Link other copies of releases that are known already.
    3. Look the rest up, in the API or a dump, or take the listings' own names; commit batch by
       batch, and keep what was found when something ends the run.
    """
    target = open_target(run, request.config, named=request.seller)
    run.findings.flags = flags_of_run(run, target, SchemaState.CURRENT, asked={})
    flag = run.findings.flags[Flag.ENABLE_ARTIST_ENRICHMENT]
    if not flag.value:
        text = f"enrichment is switched off ({flag.why}): nothing was done"
        run.findings.problems.append(Problem(code="switched_off", text=text, is_warning=False))
        return
    with hold_enrich_locks(run, target.database, wait_seconds=request.lock_wait_seconds):
        task = EnrichTask(run, request, target)
        task.plan()
        # The plan has counted already: a dry run shows that and asks Discogs nothing.
        if not run.request.dry_run:
            task.work()
