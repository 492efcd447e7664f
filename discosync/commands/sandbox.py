"""`discosync sandbox`: serve a look-alike of Discogs until somebody ends it."""

import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import Listing
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.errors import BadData, NotReady, UsageFault
from discosync.files.snapshot import open_snapshot
from discosync.sandbox.inventory import (
    DEFAULT_LISTINGS,
    DEFAULT_SELLER,
    drift,
    make_inventory,
)
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault, SandboxState


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
        # A daemon, so that it ends with the server.
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
    """Return the lines that make a shell's commands use this sandbox."""
    variables = {
        "DISCOGS_API_URL": server.url,
        "DISCOGS_TOKEN": state.token,
        "DISCOGS_USERNAME": state.seller,
        "DATABASE_URL": f"sqlite:///{Path.cwd() / 'staging.db'}",
    }
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
