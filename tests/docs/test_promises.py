"""The page of promises shows the promises that the suite knows, each with tests that exist."""

import pytest

from tests.support.promises import (
    PROMISES,
    Promise,
    missing_tests,
    promised,
    shown_promises,
)


@pytest.mark.parametrize("promise", PROMISES, ids=[promise.words[:40] for promise in PROMISES])
def test_promise_has_tests(promise: Promise) -> None:
    """Nothing is promised that no test holds."""
    assert promise.tests
    assert missing_tests(promise.tests) == []


def test_page_shows_the_promises() -> None:
    """The table is the one that `pytest --promises` writes; every row counts tests."""
    assert [(words, tests) for words, tests, _ in shown_promises()] == promised()
    assert all(int(count.replace(",", "")) > 0 for _, _, count in shown_promises())


def test_no_test_of_a_promise_is_lost(request: pytest.FixtureRequest) -> None:
    """The whole suite holds at least as many tests of each promise as the page counts."""
    tests = [item.nodeid for item in request.session.items]
    for promise, (_, _, count) in zip(PROMISES, shown_promises(), strict=True):
        files = {test.partition("::")[0] for test in promise.tests}
        held = [test for test in tests if promise.is_held_by(test)]
        if files <= {test.partition("::")[0] for test in held}:  # else a part of the suite runs
            assert len(held) >= int(count.replace(",", "")), promise.words
