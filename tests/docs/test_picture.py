"""The picture in the README is made by the program, and can be made again."""

import html
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.pages import DOCS, README

SCRIPT = DOCS / "images" / "make_first_run.py"
PICTURE = DOCS / "images" / "first-run.svg"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that makes the picture."""
    spec = importlib.util.spec_from_file_location("make_first_run", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _shown(picture: Path) -> list[str]:
    """Give the texts of a picture, with one sign for each number and each run's id."""
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text())
    plain = " ".join(html.unescape(text).replace("\xa0", " ").strip() for text in texts)
    without_ids = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "RUN", plain)
    return re.sub(r"\d[\d.,:]*", "N", without_ids).split()


def test_picture_shows_what_a_run_prints(script: ModuleType, tmp_path: Path) -> None:
    """Made again, the picture differs from the one in the README in its numbers only."""
    script.make(tmp_path / "again.svg")
    assert _shown(tmp_path / "again.svg") == _shown(PICTURE)


def test_picture_needs_no_network_and_names_no_machine() -> None:
    """It loads nothing, and its home directory is nobody's."""
    text = PICTURE.read_text()
    assert "url(http" not in text
    assert "@import" not in text
    assert (
        set(re.findall(r"sqlite:////[\w/]+", html.unescape(text))) == {"sqlite:////home/you/"}
        or "/home/you/" in text
    )
    assert "/tmp" not in text  # noqa: S108 - what must not be there
    assert "(docs/images/first-run.svg)" in README.read_text()
