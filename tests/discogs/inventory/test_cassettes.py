"""A recorded export hour, replayed: the exact requests that discosync makes, in their order.

Recorded against the sandbox over loopback, with made-up listings; `--record-cassettes` on the
command line of pytest records it anew.
"""

from pathlib import Path
from typing import Any

import pytest
import vcr

from discosync.core.progress import NoProgress
from discosync.discogs.http.transport import Transport
from discosync.discogs.inventory.export import ExportRequest, fetch_export
from discosync.discogs.inventory.identity import fetch_username
from discosync.discogs.inventory.pages import fetch_first_page
from discosync.discogs.inventory.spool import Spool
from discosync.files.snapshot import open_snapshot
from discosync.sandbox.server import serving
from discosync.sandbox.state import SandboxState
from tests.support.program import TOKEN
from tests.support.shop import SELLER, make_shop

CASSETTES = Path(__file__).parent / "cassettes"
PORT = 47_615
"""The address is part of a recording."""


def _without_moving_headers(response: dict[str, Any]) -> dict[str, Any]:
    response["headers"].pop("Server", None)
    return response


RECORDER = vcr.VCR(
    cassette_library_dir=str(CASSETTES),
    filter_headers=[("Authorization", "REDACTED")],
    before_record_response=_without_moving_headers,
    match_on=["method", "uri"],
)


def _transport() -> Transport:
    return Transport(base_url=f"http://127.0.0.1:{PORT}", token=TOKEN)


def _export_hour(transport: Transport, directory: Path) -> list[int]:
    username = fetch_username(transport)
    spool = Spool(directory / "spool")
    spool.prepare()
    request = ExportRequest(
        seller=username,
        first=fetch_first_page(transport, SELLER),
        spool=spool,
        progress=NoProgress(),
        deadline_seconds=60,
        sleep=lambda _seconds: None,
    )
    with open_snapshot(fetch_export(transport, request)) as opened:
        return [record.listing_id or 0 for record in opened.records]


def test_export_hour_as_recorded(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The five requests of an hour by export, as they were recorded, end in a whole inventory."""
    if request.config.getoption("--record-cassettes"):
        (CASSETTES / "export_hour.yaml").unlink(missing_ok=True)
        state = SandboxState(seller=SELLER, token=TOKEN, inventory=make_shop(3), is_marked=False)
        with serving(state, port=PORT), RECORDER.use_cassette("export_hour.yaml"):
            _export_hour(_transport(), tmp_path)
    transport = _transport()
    with RECORDER.use_cassette("export_hour.yaml", record_mode="none") as cassette:
        listing_ids = _export_hour(transport, tmp_path)

    assert listing_ids == [listing.listing_id for listing in make_shop(3)]
    assert cassette.all_played
    assert transport.use.requests == 5


def test_no_cassette_holds_a_secret() -> None:
    """What is recorded can be published."""
    paths = list(CASSETTES.glob("*.yaml"))
    assert paths
    for path in paths:
        assert TOKEN not in path.read_text()
        assert "REDACTED" in path.read_text()
