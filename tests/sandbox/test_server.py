"""The sandbox answers as Discogs does, refusals included, and with errors on demand."""

from typing import Any

import pytest
import requests

from discosync.sandbox.server import SandboxServer
from tests.support.program import TOKEN
from tests.support.shop import SELLER, make_listing, make_shop

SIGNED_IN = {"Authorization": f"Discogs token={TOKEN}"}
INVENTORY = f"/users/{SELLER}/inventory"


def _get(
    sandbox: SandboxServer, path: str, *, signed_in: bool = True, **params: Any
) -> requests.Response:
    headers = SIGNED_IN if signed_in else {}
    return requests.get(f"{sandbox.url}{path}", params=params, headers=headers, timeout=5)


def _post(sandbox: SandboxServer, path: str, **more: Any) -> requests.Response:
    return requests.post(f"{sandbox.url}{path}", headers=SIGNED_IN, timeout=5, **more)


def test_identity_needs_the_token(sandbox: SandboxServer) -> None:
    """Without it the answer is a 401 with Discogs' own words."""
    assert _get(sandbox, "/oauth/identity").json()["username"] == SELLER
    refused = _get(sandbox, "/oauth/identity", signed_in=False)
    assert refused.status_code == 401
    assert refused.json() == {"message": "You must authenticate to access this resource."}


def test_only_the_owner_sees_all(sandbox: SandboxServer) -> None:
    """A stranger gets what is For Sale, without private fields, whatever status he asks for."""
    sandbox.state.inventory = [*make_shop(2), make_listing(2, status="Draft")]
    own = _get(sandbox, INVENTORY, status="All").json()
    other = _get(sandbox, INVENTORY, status="All", signed_in=False).json()
    assert (own["pagination"]["items"], other["pagination"]["items"]) == (3, 2)
    assert "location" in own["listings"][0]
    assert "location" not in other["listings"][0]
    assert _get(sandbox, INVENTORY, status="Draft").json()["pagination"]["items"] == 1


def test_pages_hold_a_hundred_at_most(sandbox: SandboxServer) -> None:
    """More is not refused, and a name may be written in any case."""
    sandbox.state.inventory = make_shop(120)
    page = _get(sandbox, f"/users/{SELLER.upper()}/inventory", per_page=500)
    assert len(page.json()["listings"]) == 100
    assert page.json()["pagination"]["pages"] == 2


def test_stranger_gets_no_page_above_a_hundred(sandbox: SandboxServer) -> None:
    """Whether there are so many or not; the owner may ask."""
    assert _get(sandbox, INVENTORY, page=101, signed_in=False).status_code == 403
    assert _get(sandbox, INVENTORY, page=101).status_code == 200


def test_export_is_one_at_a_time(sandbox: SandboxServer) -> None:
    """Its id is in the header only; a second one meets a 409 while the first is being made."""
    sandbox.state.export_seconds = 600
    made = _post(sandbox, "/inventory/export")
    assert (made.status_code, made.json()) == (200, {})
    path = made.headers["Location"].removeprefix(sandbox.url)
    assert _post(sandbox, "/inventory/export").status_code == 409
    assert _get(sandbox, path).json()["status"] == "in progress"
    assert _get(sandbox, f"{path}/download").status_code == 404
    sandbox.state.exports[0].ready_at = 0.0
    assert _get(sandbox, path).json()["status"] == "success"
    assert _get(sandbox, f"{path}/download").content.startswith(b"listing_id,")


def test_export_shows_the_moment_it_was_asked_for(sandbox: SandboxServer) -> None:
    """What changes afterwards is not in it."""
    path = _post(sandbox, "/inventory/export").headers["Location"].removeprefix(sandbox.url)
    sandbox.state.inventory = []
    assert len(_get(sandbox, f"{path}/download").content.splitlines()) == 21


@pytest.mark.parametrize(("signed_in", "limit"), [(True, 60), (False, 25)])
def test_limit_is_enforced_when_asked_for(
    sandbox: SandboxServer,
    signed_in: bool,  # noqa: FBT001 - a table
    limit: int,
) -> None:
    """The headers count down, and the next request of the window meets a 429."""
    sandbox.state.enforces_limits = True
    answers = [_get(sandbox, "/releases/500000", signed_in=signed_in) for _ in range(limit)]
    assert {answer.status_code for answer in answers} == {200}
    left = [int(answer.headers["X-Discogs-Ratelimit-Remaining"]) for answer in answers]
    assert left == list(range(limit, 0, -1))
    assert _get(sandbox, "/releases/500000", signed_in=signed_in).status_code == 429
    assert sandbox.state.throttled == 1


def test_rehearsal_orders_errors_over_http(sandbox: SandboxServer) -> None:
    """A fault comes as often as it was ordered; what is none is refused."""
    ordered = _post(sandbox, "/sandbox/faults", json={"path": "/oauth", "status": 503, "times": 2})
    assert ordered.json() == {"ordered": "/oauth"}
    statuses = [_get(sandbox, "/oauth/identity").status_code for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert _post(sandbox, "/sandbox/faults", json={"nonsense": 1}).status_code == 422


def test_body_can_be_cut_short(sandbox: SandboxServer) -> None:
    """Under the full length it is a broken transfer; under its own, a short answer."""
    fault = {"path": "/oauth", "cut_at": 5}
    _post(sandbox, "/sandbox/faults", json=fault)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _get(sandbox, "/oauth/identity")
    _post(sandbox, "/sandbox/faults", json={**fault, "hide_length": True})
    assert len(_get(sandbox, "/oauth/identity").content) == 5


def test_unknown_addresses_are_404(sandbox: SandboxServer) -> None:
    """Also another seller's inventory and another's export."""
    for path in ("/nothing", "/users/nobody/inventory", "/inventory/export/1", "/releases/1"):
        answer = _get(sandbox, path)
        assert (answer.status_code, list(answer.json())) == (404, ["message"])
