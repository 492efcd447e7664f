"""`discosync sandbox`, and a sandbox for the length of one `sync --sandbox`."""

import shlex
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import Listing
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.database.connection.engine import open_database
from discosync.database.runs.records import load_run_count
from discosync.database.schema.state import SchemaState, load_state
from discosync.errors import BadData, NotReady, UsageFault
from discosync.files.snapshot import open_snapshot
from discosync.sandbox.inventory import drift, make_inventory
from discosync.sandbox.server import SandboxServer, serving
from discosync.sandbox.state import SANDBOX_TOKEN, Fault, SandboxState
from discosync.settings import Settings, data_dir
from discosync.settings.secret import Secret

DEFAULT_SELLER = "sandbox-records"
DEFAULT_LISTINGS = 600
SANDBOX_ADVICE = "run it again: in this made-up shop an hour passes between two runs"
_DATABASE_FILE = "sandbox.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How a served sandbox behaves; times in seconds."""

    seller: str = DEFAULT_SELLER
    listings: int = DEFAULT_LISTINGS
    from_csv: Path | None = None
    seed: int = 1
    port: int = 0
    export_seconds: float = 2.0
    drift_every_seconds: float = 0.0
    enforces_limits: bool = False
    faults: tuple[Fault, ...] = ()


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
            cache=replace(settings.cache, redis_url=None),  # a rehearsal is nobody else's business
            sellers={},
        )


@contextmanager
def _naming_its_own_database(url: Secret) -> Iterator[None]:
    """Name the sandbox's database in what is to be typed: a bare `db upgrade` means the shop's.

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
    """Write what leads a command to the sandbox's database."""
    return f"DATABASE_URL={shlex.quote(url.reveal())}"


def _count_runs(url: Secret, seller: str) -> int:
    database = open_database(url.reveal(), read_only=True, application="discosync sandbox")
    if load_state(database) is not SchemaState.CURRENT:
        return 0
    with database.session() as session:
        return load_run_count(session, seller)


def serve_sandbox(options: SandboxOptions, announce: Callable[[str], None]) -> None:
    """Serve until somebody ends it; announce the variables to export."""
    state = SandboxState(
        seller=options.seller,
        inventory=_load_inventory(options),
        export_seconds=options.export_seconds,
        enforces_limits=options.enforces_limits,
        faults=list(options.faults),
    )
    with _bind(state, options.port) as server:
        announce(render_variables(server, state))
        if options.drift_every_seconds:
            threading.Thread(target=_keep_drifting, args=(state, options), daemon=True).start()
        server.serve_forever()


def _bind(state: SandboxState, port: int) -> SandboxServer:
    try:
        return SandboxServer(state, port=port)
    except OSError as exc:
        raise NotReady(
            f"cannot serve on 127.0.0.1:{port}: {exc.strerror}",
            hint="choose another --port; 0 takes a free one",
            code="port",
        ) from exc


def _load_inventory(options: SandboxOptions) -> list[Listing]:
    if options.from_csv is None:
        return make_inventory(options.listings, seed=options.seed)
    if not options.from_csv.is_file():
        raise UsageFault(
            f"there is no file {options.from_csv}",
            hint="check the path after --from-csv",
            code="no_file",
        )
    snapshot = Snapshot(
        path=options.from_csv,
        source=Source.FILE,
        seller=options.seller,
        sha256="",
        size_bytes=0,
        as_of=None,
        currency="EUR",
    )
    with open_snapshot(snapshot) as opened:
        records = list(opened.records)
    for record in records:
        if isinstance(record, RejectedRecord):
            raise BadData(
                f"{options.from_csv}, line {record.line}: {record.reason}", hint="correct it"
            )
    return [record for record in records if isinstance(record, Listing)]


def _keep_drifting(state: SandboxState, options: SandboxOptions) -> None:
    step = 0
    while True:
        time.sleep(options.drift_every_seconds)
        step += 1
        with state.lock:
            state.inventory = drift(state.inventory, 1, seed=options.seed + step)


def render_variables(server: SandboxServer, state: SandboxState) -> str:
    """Write the variables that lead a shell to a sandbox."""
    variables = {
        "DISCOGS_API_URL": server.url,
        "DISCOGS_TOKEN": state.token,
        "DISCOGS_USERNAME": state.seller,
        "DATABASE_URL": f"sqlite:///{Path.cwd() / 'staging.db'}",
    }
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
