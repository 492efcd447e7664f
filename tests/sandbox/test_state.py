"""Errors that were ordered come when they were ordered, and as often."""

import zipfile
from io import BytesIO

from discosync.sandbox.answers import render_csv
from discosync.sandbox.state import Fault, SandboxState
from tests.support.shop import make_shop


def test_fault_comes_after_the_requests_it_lets_through_and_as_often_as_ordered() -> None:
    """Requests of another method or another path are not counted."""
    fault = Fault(path="/inventory", times=2, after=2)
    state = SandboxState(faults=[fault])
    assert state.take_fault("POST", "/inventory") is None
    assert state.take_fault("GET", "/oauth") is None
    taken = [state.take_fault("GET", "/inventory/1") for _ in range(5)]
    assert taken == [None, None, fault, fault, None]


def test_what_happens_after_a_request_happens_once() -> None:
    """The path's end decides."""
    happened: list[str] = []
    state = SandboxState(after={"/export": lambda: happened.append("sold")})
    for path in ("/export/7", "/inventory/export", "/inventory/export"):
        state.pass_by(path)
    assert happened == ["sold"]


def test_export_holds_what_the_shop_held_when_it_was_asked_for() -> None:
    """What is sold later is in the next one, which has another number."""
    state = SandboxState(inventory=make_shop(2))
    first = state.make_export()
    state.inventory = make_shop(1)
    second = state.make_export()
    assert (first.body, second.body) == (render_csv(make_shop(2)), render_csv(make_shop(1)))
    assert first.export_id != second.export_id


def test_export_that_is_zipped_holds_one_file() -> None:
    """Discogs packs large exports; tests order it for small ones."""
    state = SandboxState(inventory=make_shop(2), zips_exports=True)
    with zipfile.ZipFile(BytesIO(state.make_export().body)) as archive:
        (name,) = archive.namelist()
        assert archive.read(name) == render_csv(make_shop(2))


def test_failed_export_is_never_ready() -> None:
    """One that has not failed is ready at once, unless seconds were ordered."""
    export = SandboxState().make_export()
    assert export.is_ready
    export.has_failed = True
    assert not export.is_ready
