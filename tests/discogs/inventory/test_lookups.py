"""What Discogs' answer for one listing says: gone, for sale, another status, or nothing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from discosync.core.planning.absence import Verdict
from discosync.discogs.http.patience import Patience
from discosync.discogs.http.transport import Transport
from discosync.discogs.inventory.lookups import look_up_listing
from discosync.errors import RateLimited, RequestsUsedUp
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import TOKEN
from tests.support.shop import FIRST_ID, SELLER, make_shop, with_changed

PATH = f"/marketplace/listings/{FIRST_ID}"


@pytest.fixture
def transport(sandbox: SandboxServer) -> Iterator[Transport]:
    """A way to the sandbox that gives up after one attempt."""
    opened = Transport(base_url=sandbox.url, token=TOKEN, patience=Patience(attempts=1))
    yield opened
    opened.close()


def test_listing_that_is_there_is_for_sale(transport: Transport) -> None:
    """A listing with status For Sale is for sale; one request tells so."""
    answer = look_up_listing(transport, FIRST_ID, seller=SELLER.upper())
    assert (answer.listing_id, answer.verdict) == (FIRST_ID, Verdict.FOR_SALE)
    assert transport.use.requests == 1


def test_listing_that_is_not_there_is_gone(transport: Transport) -> None:
    """Discogs' own 404, with a message, proves that there is no such listing."""
    assert look_up_listing(transport, 17, seller=SELLER).verdict is Verdict.GONE


@pytest.mark.parametrize("status", ["Sold", "Draft", "Expired", "Violation", "Deleted"])
def test_another_status_is_shown(transport: Transport, sandbox: SandboxServer, status: str) -> None:
    """Any other status than For Sale is evidence, and is given word by word."""
    sandbox.state.inventory = with_changed(make_shop(3), 0, status=status)
    answer = look_up_listing(transport, FIRST_ID, seller=SELLER)
    assert (answer.verdict, answer.status) == (Verdict.NOT_FOR_SALE, status)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"status": 401, "body": '{"message": "no"}'}, "401"),
        ({"status": 403, "body": '{"message": "no"}'}, "403"),
        ({"body": '{"id": 5, "status": "Sold"}'}, "another listing"),
        ({"body": '{"status": "Sold"}'}, "another listing"),
        ({"body": f'{{"id": {FIRST_ID}}}'}, "without a status"),
        ({"body": f'{{"id": {FIRST_ID}, "status": ""}}'}, "without a status"),
        ({"body": f'{{"id": {FIRST_ID}, "status": 5}}'}, "without a status"),
        ({"body": f'{{"id": {FIRST_ID}, "status": "a\\u0000b"}}'}, "without a status"),
        (
            {"body": f'{{"id": {FIRST_ID}, "status": "Sold", "seller": {{"username": "x"}}}}'},
            "another seller",
        ),
    ],
)
def test_anything_else_proves_nothing(
    transport: Transport, sandbox: SandboxServer, fault: dict[str, object], why: str
) -> None:
    """An answer that is refused, or not about this listing, is no proof, and says why."""
    sandbox.state.faults = [Fault(path=PATH, **fault)]  # type: ignore[arg-type]
    answer = look_up_listing(transport, FIRST_ID, seller=SELLER)
    assert answer.verdict is Verdict.UNPROVEN
    assert why in answer.why
    assert not answer.has_failed


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 502},
        {"status": 410},
        {"body": "[]"},
        {"body": "<html>"},
        {"status": 404, "body": "<html>not here</html>"},
        {"status": 404, "body": "[]"},
        {"status": 404, "body": '{"detail": "no such route"}'},
    ],
)
def test_failed_answer_says_so(
    transport: Transport, sandbox: SandboxServer, fault: dict[str, object]
) -> None:
    """A server in trouble, or a 404 that is not Discogs' own, proves nothing and is no answer."""
    sandbox.state.faults = [Fault(path=PATH, **fault)]  # type: ignore[arg-type]
    answer = look_up_listing(transport, FIRST_ID, seller=SELLER)
    assert (answer.verdict, answer.has_failed) == (Verdict.UNPROVEN, True)


def test_rate_limit_ends_the_asking(transport: Transport, sandbox: SandboxServer) -> None:
    """While Discogs answers 429 no other listing should be asked for."""
    sandbox.state.faults = [Fault(path=PATH, status=429)]
    with pytest.raises(RateLimited):
        look_up_listing(transport, FIRST_ID, seller=SELLER)


def test_no_time_left_ends_the_asking(transport: Transport, sandbox: SandboxServer) -> None:
    """After its time nothing is sent any more."""
    with transport.bounded(0.0, transport.patience), pytest.raises(RequestsUsedUp):
        look_up_listing(transport, FIRST_ID, seller=SELLER)
    assert not sandbox.state.requests


def test_stranger_does_not_see_a_draft(transport: Transport, sandbox: SandboxServer) -> None:
    """Somebody else's draft answers 401 (recorded): that proves nothing."""
    sandbox.state.inventory = [replace(x, status="Draft") for x in make_shop(1)]
    sandbox.state.identity = "somebody-else"
    assert look_up_listing(transport, FIRST_ID, seller=SELLER).verdict is Verdict.UNPROVEN
