"""How a command without a report ends."""

import json

import pytest
import typer

from discosync.cli.frame import answering
from discosync.errors import StorageFailed


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        (StorageFailed("the disk is full", hint="make room"), 16, "→ make room"),
        (IsADirectoryError(21, "Is a directory", "shop.csv"), 16, "cannot use shop.csv"),
        (KeyboardInterrupt(), 130, "nothing was changed"),
    ],
)
def test_error_ends_a_command_with_its_status(
    fault: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """People read why on stderr; a program reads it as JSON on stdout."""
    with pytest.raises(typer.Exit) as ended, answering(as_json=True):
        raise fault
    shown = capsys.readouterr()
    assert ended.value.exit_code == status
    assert json.loads(shown.out)["exit_code"] == status
    assert said in shown.err


def test_bug_is_not_hidden() -> None:
    """A fault that nobody foresaw keeps its traceback."""
    with pytest.raises(ZeroDivisionError), answering(as_json=False):
        _ = 1 / 0
    with pytest.raises(OSError, match="Invalid argument"), answering(as_json=False):
        raise OSError(22, "Invalid argument")
