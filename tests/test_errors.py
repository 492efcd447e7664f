"""The table of errors and exit statuses."""

import re

from discosync import errors
from discosync.errors import EXIT_STATUS_MEANINGS, DiscosyncError, ExitStatus, Stopped


def _raised(kind: type[DiscosyncError] = DiscosyncError) -> set[type[DiscosyncError]]:
    """Every class of the module that is raised; a room may have kinds of them for itself."""
    below = set[type[DiscosyncError]]().union(*(_raised(sub) for sub in kind.__subclasses__()))
    is_told = kind.__module__ == errors.__name__ and kind is not Stopped
    return {kind, *below} if is_told else below


def test_table_in_the_docstring_names_every_error() -> None:
    """Who looks a class up finds the status that it ends a run with."""
    told = dict(re.findall(r"^ +[│├└─ ]*(\w+) +(\d+) ", errors.__doc__ or "", re.MULTILINE))
    assert told == {kind.__name__: str(int(kind.exit_status)) for kind in _raised()}


def test_each_status_has_a_meaning() -> None:
    """The end of every help can be written."""
    assert EXIT_STATUS_MEANINGS.keys() == set(ExitStatus)


def test_each_kind_of_error_has_a_code_of_its_own() -> None:
    """A program that reads reports can tell the kinds apart."""
    codes = [kind.default_code for kind in _raised()]
    assert len(codes) == len(set(codes))


def test_code_can_be_more_exact_than_the_kind() -> None:
    """An error keeps its message, its hint, and the code it was given."""
    error = errors.NotReady("no seller", hint="set one", code="no_seller")
    assert (error.message, error.hint, error.code) == ("no seller", "set one", "no_seller")
    assert errors.NotReady("no seller").code == "not_ready"
