"""The pages about the code name what is there."""

import importlib
import re
from pathlib import Path

import pytest

from tests.support.pages import DOCS, PAGES, TOP, name_of, prose, rows, sections, spans

PACKAGE = TOP / "discosync"
DESIGN = DOCS / "explanation" / "design.md"
ONE_LISTING = DOCS / "explanation" / "one-listing.md"


def _rooms() -> dict[str, set[str]]:
    """Give the rooms of the tree, each with its modules."""
    return {
        "discosync/" if room == PACKAGE else f"{room.relative_to(PACKAGE)}/": {
            module.stem for module in room.glob("*.py") if module.name != "__init__.py"
        }
        for room in (init.parent for init in PACKAGE.rglob("__init__.py"))
    }


def test_rooms_table_is_the_tree() -> None:
    """Every package directory and every module of discosync stands in the table, and no other."""
    table = list(rows(sections(DESIGN)["Rooms"]))[1:]
    written = {spans(room)[0]: set(spans(modules)) for room, _, modules in table}
    assert written == _rooms()
    assert len(table) == len(written), "a room stands in the table twice"


def test_rooms_say_what_they_hold() -> None:
    """The table's words are those of the room's own first line."""
    for room, holds, _ in list(rows(sections(DESIGN)["Rooms"]))[1:]:
        name = spans(room)[0]
        if name == "discosync/":
            continue
        first = importlib.import_module(f"discosync.{name.strip('/').replace('/', '.')}").__doc__
        said = " ".join(str(first).partition("\n\n")[0].split()).rstrip(".")
        assert holds == said, f"{name}: {said}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_named_are_there(page: Path) -> None:
    """A file of the checkout that a page names between backticks exists."""
    for span in spans(prose(page)):
        path = span.partition("::")[0]
        if re.fullmatch(r"(discosync|tests|migrations|benchmarks|docs)/[\w/.-]*", path):
            assert (TOP / path).exists(), span


FUNCTIONS = [span for page in PAGES for span in spans(prose(page)) if "::" in span]


def test_functions_named_are_there() -> None:
    """A function that a page names as `path.py::name` exists, a method as `path.py::Class.name`."""
    for span in FUNCTIONS:
        path, _, name = span.partition("::")
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        found: object = module
        for part in name.split("."):
            assert hasattr(found, part), span
            found = getattr(found, part)


def test_one_listing_has_a_function_at_each_step() -> None:
    """A step without a function would be one that nobody finds."""
    steps = re.split(r"^\d+\. ", ONE_LISTING.read_text(), flags=re.MULTILINE)[1:]
    assert len(steps) >= 10
    for step in steps:
        assert "::" in step, step[:60]
