"""No text of a CSV for people runs as a formula, and each reads back exactly."""

from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.guarded import guard, unguard

TEXTS = st.text(st.sampled_from("'=+-@\t\rab1")) | st.text()


@given(TEXTS)
def test_guarded_text_reads_back_exactly(text: str) -> None:
    """Also a text that looks like a guarded one."""
    assert unguard(guard(text)) == text


@given(TEXTS)
def test_guarded_text_begins_with_nothing_that_runs(text: str) -> None:
    """An apostrophe says to a spreadsheet that text follows."""
    assert not guard(text).startswith(tuple("=+-@\t\r"))


def test_other_text_stays_as_it_is() -> None:
    """A title may begin with an apostrophe."""
    for text in ("", "'til the morning", "Say =", "12.50"):
        assert guard(text) == unguard(text) == text
