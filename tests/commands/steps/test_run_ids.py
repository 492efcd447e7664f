"""A run is named by its id, or by how the id begins."""

import pytest

from discosync.commands.steps.run_ids import only_run, refuse_empty_id
from discosync.errors import UsageFault


@pytest.mark.parametrize("run_id", ["", "  "])
def test_empty_id_names_no_run(run_id: str) -> None:
    """Every id begins with nothing, so an empty one would mean any run."""
    with pytest.raises(UsageFault):
        refuse_empty_id(run_id)


def test_beginning_of_one_id_names_that_run() -> None:
    """The one run that was found is meant."""
    assert only_run(["the run"], "1f") == "the run"


@pytest.mark.parametrize(("found", "said"), [([], "no run begins"), ([1, 2], "several runs begin")])
def test_beginning_of_no_id_or_of_several_is_refused(found: list[int], said: str) -> None:
    """Nothing is done to a run that was perhaps not meant."""
    with pytest.raises(UsageFault, match=said):
        only_run(found, "1f")
