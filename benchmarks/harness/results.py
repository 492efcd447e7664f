"""What was measured, as a table for people and as JSON."""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness.exports import TITLES, Case
from benchmarks.harness.processes import Measured
from benchmarks.harness.ways import DISCOSYNC, WAYS, Way

_HEAD = ("", "seconds", "peak MB", "API calls", "/ discosync", "/ best", "rows")


@dataclass(slots=True, kw_only=True)
class Row:
    """The runs of one way at one work, in their order; `fault` says why one was wrong."""

    database: str
    case: Case
    way: Way
    runs: list[Measured] = field(default_factory=list)
    fault: str = ""

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def peak_mb(self) -> float:
        """The largest."""
        return max(run.peak_mb for run in self.runs)

    @property
    def verdict(self) -> str:
        """Whether the rows were right."""
        if self.fault:
            return f"WRONG: {self.fault}"
        return "right" if self.way.query else "none"

    def over(self, other: "Row") -> float:
        """Give the median of how many times longer it took, pair by pair.

        The machine drifts: only what ran one after the other can be compared.
        """
        pairs = zip(self.runs, other.runs, strict=True)
        return statistics.median(mine.seconds / theirs.seconds for mine, theirs in pairs)


def pick_best(rows: Sequence[Row]) -> Row | None:
    """Pick the quicker of the best alternatives at one work."""
    return min((row for row in rows if row.way.is_best), key=lambda row: row.seconds, default=None)


def _ratio(row: Row, other: Row | None) -> float | None:
    return None if other is None else round(row.over(other), 2)


def summarize(rows: Sequence[Row], api_calls: Mapping[str, int]) -> list[dict[str, object]]:
    """Give one object a row, ratios included."""
    summaries: list[dict[str, object]] = []
    for block in _blocks(rows):
        ours = next((row for row in block if row.way.name == DISCOSYNC), None)
        best = pick_best(block)
        summaries += [
            {
                "database": row.database,
                "case": row.case.value,
                "way": row.way.name,
                "seconds": round(row.seconds, 3),
                "runs": [round(run.seconds, 3) for run in row.runs],
                "peak_mb": round(row.peak_mb),
                "api_calls": api_calls.get(row.way.name),
                "over_discosync": _ratio(row, ours),
                "over_best": _ratio(row, best),
                "rows": row.verdict,
            }
            for row in block
        ]
    return summaries


def _blocks(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Split by work; within it, rows are ordered as the ways are."""
    for key in dict.fromkeys((row.database, row.case) for row in rows):
        block = [row for row in rows if (row.database, row.case) == key]
        yield sorted(block, key=lambda row: WAYS.index(row.way))


def render_table(rows: Sequence[Row], api_calls: Mapping[str, int]) -> str:
    """Write one aligned block for each work."""
    by_work: dict[tuple[str, str], list[list[str]]] = {}
    for summary in summarize(rows, api_calls):
        work = (str(summary["database"]), str(summary["case"]))
        by_work.setdefault(work, []).append(_cells(summary))
    widths = [
        max(len(cells[i]) for cells in [list(_HEAD), *(c for b in by_work.values() for c in b)])
        for i in range(len(_HEAD) - 1)
    ]
    blocks = []
    for (database, case), lines in by_work.items():
        title = f"{database}: {TITLES[Case(case)]}"
        blocks.append("\n".join([title, *(_align(cells, widths) for cells in [_HEAD, *lines])]))
    return "\n\n".join(blocks)


def _align(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *numbers, last = cells
    padded = [n.rjust(width) for n, width in zip(numbers, widths[1:], strict=True)]
    return "  ".join([first.ljust(widths[0]), *padded, last])


def _cells(summary: Mapping[str, object]) -> list[str]:
    def shown(name: str, form: str) -> str:
        return "–" if summary[name] is None else format(summary[name], form)

    return [
        f"  {summary['way']}",
        shown("seconds", ".2f"),
        shown("peak_mb", "d"),
        shown("api_calls", ",d"),
        shown("over_discosync", ".2f"),
        shown("over_best", ".2f"),
        str(summary["rows"]),
    ]


def write_json(
    path: Path, rows: Sequence[Row], api_calls: Mapping[str, int], listings: int
) -> None:
    """Write everything, each run's seconds too."""
    told = {"listings": listings, "results": summarize(rows, api_calls)}
    path.write_text(json.dumps(told, indent=2) + "\n")
