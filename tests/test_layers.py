"""The shape of the house: imports point down, each library has one door, files stay small."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "discosync"
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = {
    "cli": 0,
    "__main__": 0,
    "commands": 1,
    "runner": 2,
    "console": 2,
    "discogs": 3,
    "database": 3,
    "sandbox": 3,
    "files": 4,
    "render": 4,
    "settings": 4,
    "core": 5,
    "errors": 6,
}
SIBLINGS_APART = {"discogs", "database", "sandbox"}
DOORS = {
    "typer": {"cli"},
    "rich": {"console"},
    "requests": {"discogs"},
    "requests_cache": {"discogs"},
    "redis": {"discogs"},
    "urllib3": {"discogs"},
    "sqlalchemy": {"database"},
    "sqlite3": {"database", "discogs"},  # the mirror, and the cache's file
    "psycopg": {"database"},
    "alembic": {"database"},
}


def _room(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def _imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    """No module imports from a room above its own, and the adapters do not know each other."""
    room = _room(path)
    if room == "__init__":
        return
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] != "discosync" or len(parts) < 2:
            continue
        other = parts[1]
        assert LAYERS[room] <= LAYERS[other], f"{room} imports {other}"
        if {room, other} <= SIBLINGS_APART:
            assert room == other, f"{room} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_library_has_one_door(path: Path) -> None:
    """Typer, rich, requests and SQLAlchemy are each known in one room only."""
    for name in _imports(path):
        door = DOORS.get(name.split(".")[0])
        allowed = door is None or _room(path) in door
        assert allowed, f"{name} in {path.name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_core_is_pure(path: Path) -> None:
    """The core knows the standard library and itself, and reads neither clock nor file."""
    if _room(path) != "core":
        return
    source = path.read_text()
    for name in _imports(path):
        top = name.split(".")[0]
        assert top not in {"os", "time", "socket", "logging", *DOORS}, name
    for reads in ("datetime.now", "open(", ".read_text(", ".read_bytes("):
        assert reads not in source, reads


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_functions_and_files_stay_small(path: Path) -> None:
    """No function over 40 lines (a command's options apart), no module over 300."""
    tree = ast.parse(path.read_text())
    assert len(path.read_text().splitlines()) <= 300, path
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _room(path) != "cli":
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 40, f"{path.name}:{node.name} has {length} lines"
