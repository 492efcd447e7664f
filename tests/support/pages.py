"""The pages of the documentation, taken apart: sections, tables, blocks, spans of code, links."""

import re
from collections.abc import Iterator
from pathlib import Path

from typer.main import get_command

from discosync.cli import app, load_commands

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"
README = TOP / "README.md"
PAGES = sorted([README, TOP / "CONTRIBUTING.md", TOP / "CHANGELOG.md", *DOCS.rglob("*.md")])

_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    """Name a page as a reader of the checkout does."""
    return str(page.relative_to(TOP))


def blocks(page: Path, language: str) -> list[str]:
    """Give the code blocks of one language."""
    return [text for found, text in _BLOCK.findall(page.read_text()) if found == language]


def prose(page: Path) -> str:
    """Give a page without its code blocks."""
    return _BLOCK.sub("", page.read_text())


def sections(page: Path, level: int = 2) -> dict[str, str]:
    """Give each section of this level by its heading."""
    parts = re.split(rf"^{'#' * level} (.+)$", page.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> Iterator[list[str]]:
    """Give the cells of each row of the tables in a text, without heads."""
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def spans(text: str) -> list[str]:
    """Give what stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def anchors(page: Path) -> set[str]:
    """Give what can be linked to within a page: its headings, as a forge writes them."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", page.read_text()), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def all_commands() -> dict[str, object]:
    """Give every command of the program by the words that call it."""
    load_commands()
    found: dict[str, object] = {}

    def walk(prefix: str, command: object) -> None:
        for name, sub in getattr(command, "commands", {}).items():
            walk(f"{prefix} {name}".strip(), sub)
        if not getattr(command, "commands", {}):
            found[prefix] = command

    walk("", get_command(app))
    return found


def options_of(command: object) -> list[str]:
    """Give the options of a command, short and long."""
    return [o for p in getattr(command, "params", []) for o in p.opts if o.startswith("-")]
