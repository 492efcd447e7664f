"""What a record is read by is known by its source."""

import ast
import shutil
from pathlib import Path

import pytest

from discosync.commands.syncing.rules import RULE_FILES, RULES_DIGEST, digest_rules

PACKAGE = Path(__file__).parents[2] / "discosync"


def _all_of(*roots: str) -> set[str]:
    """Follow the imports inside the package."""
    found: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            names = [
                node.module or ""
                for node in ast.walk(ast.parse((PACKAGE / name).read_text()))
                if isinstance(node, ast.ImportFrom)
            ]
            own = [name.split(".")[1:] for name in names if name.startswith("discosync.")]
            todo += ["/".join(parts) + ".py" for parts in own]
    return found


def test_rules_are_all_that_reading_and_planning_use() -> None:
    """A module that helps to decide what a record says, or changes, is one of the rules."""
    assert set(RULE_FILES) == _all_of(
        "core/planning/plan.py", "core/inventory/record_parser.py", "files/snapshot.py"
    )


@pytest.mark.parametrize("name", RULE_FILES)
def test_other_source_is_another_rule(name: str, tmp_path: Path) -> None:
    """One byte more in any of them gives another digest, under the same version."""
    package = Path(shutil.copytree(PACKAGE, tmp_path / "discosync"))
    assert digest_rules(package) == RULES_DIGEST
    with (package / name).open("a") as file:
        file.write("#")
    assert digest_rules(package) != RULES_DIGEST
