"""What was remembered holds for the rules that made it: the pin of those rules."""

import ast
import io
import tokenize
from hashlib import blake2b
from pathlib import Path

import pytest

from discosync.core.inventory.header import parse_header
from discosync.core.inventory.records import RawRecord
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.recall import mark as marks
from discosync.core.recall.mark import context_of
from discosync.core.recall.rules import RULES, RULES_VERSION

PACKAGE = Path(__file__).parents[3] / "discosync"
ROOTS = ("core/planning/plan.py", "core/recall/memory.py", "files/snapshot.py")
"""What reads records and decides about them, and remembers; and all that these import."""

PINNED_VERSION = 2
PINNED_DIGEST = "3170d4f86d63df8a"


def _modules() -> list[Path]:
    """Follow the imports inside the package."""
    found: set[Path] = set()
    todo = [PACKAGE / name for name in ROOTS]
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("discosync."):
                module = PACKAGE.joinpath(*str(node.module).split(".")[1:])
                names = [module / alias.name for alias in node.names]
                todo += [p for m in (module, *names) if (p := m.with_suffix(".py")).exists()]
    return sorted(found)


def _without_words(path: Path) -> str:
    """Give a module's code without docstrings and comments: words decide nothing."""
    source = path.read_text()
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            number, column = token.start
            lines[number - 1] = lines[number - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[number - 1] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _digest() -> str:
    digest = blake2b(digest_size=8)
    for path in _modules():
        digest.update(f"{path.relative_to(PACKAGE)}\0{_without_words(path)}\0".encode())
    return digest.hexdigest()


def test_rules_are_those_of_the_pinned_version() -> None:
    """Code that reads or plans does not change without a look at RULES_VERSION."""
    assert (RULES_VERSION, _digest()) == (PINNED_VERSION, PINNED_DIGEST), (
        "Code that reads records or plans changes has changed. May a record now say something "
        "else, or the plan decide otherwise? Then raise RULES_VERSION in "
        "discosync/core/recall/rules.py: what older runs remembered is then not believed. In both "
        f"cases write here PINNED_VERSION = {RULES_VERSION} (the new one, if you raised it) and "
        f"PINNED_DIGEST = {_digest()!r}."
    )


def test_the_pin_covers_reading_and_planning() -> None:
    """The modules that cut, parse, compare and decide are all among those that are pinned."""
    names = {str(path.relative_to(PACKAGE)) for path in _modules()}
    assert {
        "core/inventory/block_parser.py",
        "core/inventory/columns.py",
        "core/inventory/listing.py",
        "core/inventory/records.py",
        "core/planning/decisions.py",
        "core/planning/lifecycle.py",
        "core/planning/plan.py",
        "files/snapshot.py",
    } <= names


def test_other_rules_are_another_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark that was left under other rules is not believed."""
    snapshot = Snapshot(
        path=Path(), source=Source.FILE, seller="", sha256="", size_bytes=0, as_of=None
    )
    header = parse_header(RawRecord(1, b"listing_id,release_id,status,price"))
    before = context_of(snapshot, header)
    assert context_of(snapshot, header) == before

    monkeypatch.setattr(marks, "RULES", f"{RULES}x")

    assert context_of(snapshot, header) != before
