"""The shape of the house: imports point down and never in a circle, libraries have one door."""

import ast
from graphlib import CycleError, TopologicalSorter
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
    "ending": 6,
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


def _name_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE.parent).with_suffix("")
    return ".".join(relative.parts).removesuffix(".__init__")


NAMES = {_name_of(path): path for path in MODULES}


def _modules_imported_by(path: Path) -> set[str]:
    """Name the modules that run when this one is imported, or later in one of its functions."""
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(path.read_text())]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (whole & NAMES.keys()) or {str(node.module)}
        todo += ast.iter_child_nodes(node)
    return found & NAMES.keys()


def _room_of(name: str) -> str:
    """A room is a directory of the package."""
    return _name_of(NAMES[name].parent / "__init__.py")


def _circle_in(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        return list(exc.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Whoever reads a module can read what it imports first."""
    assert _circle_in({n: _modules_imported_by(p) - {n} for n, p in NAMES.items()}) == []


def test_no_rooms_import_each_other_in_a_circle() -> None:
    """A room can be understood, and replaced, without the rooms that use it."""
    graph: dict[str, set[str]] = {}
    for name, path in NAMES.items():
        room = _room_of(name)
        if room == "discosync":  # the errors, the version, and the process
            continue
        others = {_room_of(other) for other in _modules_imported_by(path)} - {room, "discosync"}
        graph.setdefault(room, set()).update(others)
    assert _circle_in(graph) == []


RECALL = ("discosync.core.recall", "discosync.database.recall")
DOOR_OF_RECALL = "discosync.commands.steps.recall"


def test_recall_has_one_door() -> None:
    """What makes an unchanged hour cheap can be taken out by the one module that imports it."""
    for name, path in NAMES.items():
        if not name.startswith((*RECALL, DOOR_OF_RECALL)):
            used = {other for other in _modules_imported_by(path) if other.startswith(RECALL)}
            assert used == set(), f"{name} goes past the door"
