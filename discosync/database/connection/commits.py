"""Who is told of commits: whoever decides what a signal may still do, and how a command ends.

Every way to commit goes through `committing`, and nothing else does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Commits:
    """What is known of the commits while somebody wants to know."""

    begins: Callable[[], None]
    has_committed: bool = False
    warnings: list[str] = field(default_factory=list)


_told: list[Commits] = []


@contextmanager
def noticing_commits(begins: Callable[[], None] = lambda: None) -> Iterator[Commits]:
    """Notice the commits inside; `begins` is called before each."""
    commits = Commits(begins=begins)
    _told.append(commits)
    try:
        yield commits
    finally:
        _told.remove(commits)


@contextmanager
def committing() -> Iterator[None]:
    """Enclose what commits; whoever notices commits learns that it took place."""
    for commits in _told:
        commits.begins()
    yield
    for commits in _told:
        commits.has_committed = True


def warn_of_commit(text: str) -> None:
    """Tell of a commit that took place, but not as it should have."""
    for commits in _told:
        commits.warnings.append(text)
