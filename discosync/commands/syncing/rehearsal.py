"""A sandbox for the length of one `sync --sandbox`, with a database of its own."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from discosync.database.connection.engine import open_database
from discosync.database.runs.records import load_run_count
from discosync.database.schema.state import SchemaState, load_state
from discosync.errors import NotReady
from discosync.sandbox.inventory import (
    DEFAULT_LISTINGS,
    DEFAULT_SELLER,
    drift,
    make_inventory,
)
from discosync.sandbox.server import serving
from discosync.sandbox.state import SANDBOX_TOKEN, SandboxState
from discosync.settings import Settings, data_dir
from discosync.settings.secret import Secret

SANDBOX_ADVICE = "run it again: in this made-up shop an hour passes between two runs"
_DATABASE_FILE = "sandbox.db"


@contextmanager
def in_sandbox(settings: Settings, *, named: str | None) -> Iterator[Settings]:
    """Serve a sandbox for one run; give the settings that lead to it, and to its own database.

    Every run finds the made-up shop an hour later than the one before.
    """
    seller = named or DEFAULT_SELLER
    # Never DATABASE_URL: an empty one may be a real shop's tomorrow.
    url = Secret(f"sqlite:///{data_dir() / _DATABASE_FILE}")
    hours = _count_runs(url, seller)
    state = SandboxState(seller=seller, inventory=drift(make_inventory(DEFAULT_LISTINGS), hours))
    with _naming_its_own_database(url), serving(state) as server:
        yield replace(
            settings,
            token=Secret(SANDBOX_TOKEN),
            seller=seller,
            currency=None,
            api_url=server.url,
            database_url=url,
            # Real runs share a Redis, and its rate limit: a rehearsal must not use that up.
            cache=replace(settings.cache, redis_url=None),
            sellers={},
        )


@contextmanager
def _naming_its_own_database(url: Secret) -> Iterator[None]:
    """Name the sandbox's database in the command to type: a bare `db upgrade` means the shop's.

    The address may be shown: a file has no password.
    """
    try:
        yield
    except NotReady as behind:
        if behind.code == "schema_behind":
            variable = render_database_variable(url)
            behind.hint = f"run `{variable} discosync db upgrade`: it is the sandbox's own database"
        raise


def render_database_variable(url: Secret) -> str:
    """Return the setting that makes a command use the sandbox's database, as a shell takes it."""
    return f"DATABASE_URL={shlex.quote(url.reveal())}"


def _count_runs(url: Secret, seller: str) -> int:
    database = open_database(url.reveal(), read_only=True, application="discosync sandbox")
    if load_state(database) is not SchemaState.CURRENT:
        return 0
    with database.session() as session:
        return load_run_count(session, seller)
