"""SQLAlchemy is the exception: which modules may use it stands in the docs."""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "discosync" / "database"
PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "two-ways-to-the-database.md"


def _top(node: ast.ImportFrom) -> str:
    return str(node.module).partition(".")[0]


def _uses_sqlalchemy(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body.clear()
        elif isinstance(node, ast.ImportFrom) and _top(node) in {"sqlalchemy", "alembic"}:
            return True
    return False


def test_sqlalchemy_is_used_where_the_docs_say_so() -> None:
    """A module that begins to use it, or no longer does, changes the table in the docs."""
    table = PAGE.read_text().partition("## Where SQLAlchemy")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\|.*", table, re.MULTILINE))
    told = {name for row in named for name in re.findall(r"`(\w+/\w+\.py)`", row.split("|")[1])}

    rooms = (path for path in PACKAGE.rglob("*.py") if path.parent.name != "connection")
    used = {str(path.relative_to(PACKAGE)) for path in rooms if _uses_sqlalchemy(path)}

    assert used == told
