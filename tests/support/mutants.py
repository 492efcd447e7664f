"""Break `discosync/core` in every small way, and list the breaks that no test notices.

    pip install -e '.[mutants]'
    python -m tests.support.mutants [--all] [--jobs 1] [MODULE …]

mutmut makes the mutants: a `<` becomes a `<=`, an `and` an `or`, an argument None, a text another
one. Each is tried against the tests of its room alone (`discosync/core/planning/plan.py`:
`tests/core/planning`). Modules are given as `core/planning/limits.py` or `core/past/*.py`; without
any it tries the planner, its limits and the flags, `--all` tries the whole of `core`. It works in a
copy, at the lowest priority.

A mutant that no test can notice stands in `mutants_that_change_nothing.txt`, beside this file, with
the reason. The command ends with 1 when another one survives: write a test that fails for it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).parents[2]
LISTED = Path(__file__).with_name("mutants_that_change_nothing.txt")
FIRST = ("core/planning/*.py", "core/flags.py")
PINS = "core/recall/test_rules.py"
"""It pins the text of the code: it would notice every mutant, and say nothing about a rule."""

_CONFIG = """
[tool.pytest.ini_options]
addopts = "-q --import-mode=importlib -n 0 -p no:valkey -p no:cacheprovider -p steady"
pythonpath = ["."]

[tool.mutmut]
source_paths = ["discosync"]
also_copy = ["steady.py"]
only_mutate = {modules}
pytest_add_cli_args_test_selection = {tests}
track_dependencies = false
use_git_change_detection = false
# No verdict may depend on how busy the machine is: only what hangs is ended.
timeout_constant = 120.0
"""

_STEADY = '''
"""The profile of tests/conftest.py, which would import the whole program."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady",
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("steady")
'''


class Mutant(NamedTuple):
    """A break: where, the lines that it takes away, and those that it puts there."""

    function: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    def __str__(self) -> str:
        lines = [*(f"- {line}" for line in self.before), *(f"+ {line}" for line in self.after)]
        return "\n".join([self.function, *lines])


def room_tests_of(module: str) -> str:
    """Give the tests of a module's room, or of a module that stands in none."""
    path = Path("tests") / module
    if path.parent.name == "core":
        return str(path.with_name(f"test_{path.name}"))
    return str(path.parent)


def parse_listed(text: str) -> dict[Mutant, str]:
    """Read the mutants that change nothing: blocks of function, lines, and a reason."""
    listed = {}
    for block in re.split(r"\n{2,}", text.strip()):
        first, *lines = [line for line in block.splitlines() if not line.startswith("#")] or [""]
        changed = {sign: tuple(x[2:] for x in lines if x.startswith(f"{sign} ")) for sign in "-+"}
        reason = " ".join(x.strip() for x in lines if x[:2] not in {"- ", "+ "})
        if first:
            assert reason, f"without a reason: {first}"
            listed[Mutant(first, changed["-"], changed["+"])] = reason
    return listed


def parse_shown(name: str, text: str) -> Mutant:
    """Read what `mutmut show` prints of a mutant."""
    lines = [line for line in text.splitlines() if not line.startswith(("---", "+++", "#"))]
    function = re.sub(r"__mutmut_\d+$", "", name)
    function = re.sub(r"\.x_(\w+)$", r".\1", function).replace("xǁ", "").replace("ǁ", ".")
    return Mutant(
        function,
        tuple(line[1:].strip() for line in lines if line.startswith("-")),
        tuple(line[1:].strip() for line in lines if line.startswith("+")),
    )


def _prepare(directory: Path, modules: list[str]) -> None:
    shutil.copytree(TOP / "discosync", directory / "discosync")
    for name in ("core", "support"):
        shutil.copytree(TOP / "tests" / name, directory / "tests" / name)
    (directory / "tests" / "__init__.py").touch()
    (directory / "tests" / PINS).unlink()
    (directory / "steady.py").write_text(_STEADY)
    config = _CONFIG.format(
        modules=[f"discosync/{module}" for module in modules],
        tests=sorted({room_tests_of(module) for module in modules}),
    )
    (directory / "pyproject.toml").write_text(config)


def _mutmut(directory: Path, *arguments: str, shows: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory)},
        stdout=None if shows else subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.stdout or ""


def _survivors(directory: Path) -> list[Mutant]:
    found = re.findall(
        r"^ *(\S+): (?:survived|no tests)$", _mutmut(directory, "results"), re.MULTILINE
    )
    return [parse_shown(name, _mutmut(directory, "show", name)) for name in found]


def main() -> int:
    """Make the mutants, try them, and compare the survivors with the list."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    if find_spec("mutmut") is None:
        parser.error("mutmut is not installed: pip install -e '.[mutants]'")
    rooms = {path.parent for path in (TOP / "discosync/core").rglob("*.py")}
    everything = [f"{room.relative_to(TOP / 'discosync')}/*.py" for room in sorted(rooms)]
    patterns = options.modules or (everything if options.all else FIRST)
    package = TOP / "discosync"
    paths = {path for pattern in patterns for path in package.glob(pattern)}
    names = sorted(str(p.relative_to(package)) for p in paths if p.name != "__init__.py")
    if not names:
        parser.error(f"no module is called {', '.join(options.modules)}")
    os.nice(19)
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        _prepare(Path(directory), names)
        _mutmut(Path(directory), "run", "--max-children", str(options.jobs), shows=True)
        survivors = _survivors(Path(directory))
    return _judge(survivors, names)


def _judge(survivors: list[Mutant], names: list[str]) -> int:
    listed = parse_listed(LISTED.read_text())
    tried = tuple(f"discosync.{name.removesuffix('.py').replace('/', '.')}." for name in names)
    new = [mutant for mutant in survivors if mutant not in listed]
    noticed = [m for m in listed if m.function.startswith(tried) and m not in survivors]
    for mutant in new:
        print(f"\nno test notices:\n{mutant}")
    for mutant in noticed:
        print(f"\nlisted in {LISTED.name}, but gone or noticed by now:\n{mutant}")
    print(f"\n{len(survivors)} survived, {len(new)} of them are not in {LISTED.name}")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
