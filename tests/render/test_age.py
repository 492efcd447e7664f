"""A length of time as people read it."""

from datetime import timedelta

from discosync.render.age import render_age


def test_an_age_shows_its_two_largest_units() -> None:
    """Seconds go where there are days; no time at all is 0 s."""
    assert render_age(timedelta(seconds=90_061)) == "1 d 1 h"
    assert render_age(timedelta(0)) == "0 s"
