"""The README's tables, made of the raw results: medians over the runs at each workload's largest scale."""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeAlias

from tests.benchmarks.results import Row, rows

PROJECT: Final = Path(__file__).parent.parent.parent
PLOT: Final = "tests/benchmarks/throughput.svg"
PLACE: Final = re.compile(r"(?<=<!-- benchmarks -->\n).*?(?=<!-- /benchmarks -->)", re.DOTALL)
TITLES: Final = {
    "worker": "**orderstream**",
    "bare": "bare limit: clients only, no checks",
    "tutorial": "FastStream handler per message, pydantic, motor, publish",
    "quix": "Quix Streams, MongoDB sink; no checks, no events",
    "quix-eos": "Quix Streams, the same exactly-once; events, no checks",
    "connector": "MongoDB Kafka connector; no checks, no events",
}
HEAD: Final = (
    "| | creates/s | updates/s | CPU s per 1,000 creates: itself + Kafka + MongoDB | peak MB | bytes/order "
    "| p50 / p99 / p99.9 ms at 500/s |\n|---|--:|--:|--:|--:|--:|--:|\n"
)
HEAD_ALONE: Final = "| orderstream alone | orders/s | peak MB | |\n|---|--:|--:|---|\n"
ALONE: Final = {
    "mixed": "all five dialects, 2 % invalid: ",
    "processes": "processes: ",
    "size": "size of a message: ",
    "large": "orders there already: ",
    "million": "1,000,000 messages: ",
    "backlog": "200,000 waiting at the start: ",
}

Results: TypeAlias = Mapping[tuple[str, str], Sequence[Row]]  # by workload and contestant


def write(file: Path) -> None:
    """Put tables and plot where the README has them."""
    from tests.benchmarks.plot import draw  # matplotlib, which only this needs

    results = _grouped(rows(file))
    readme = PROJECT / "README.md"
    tables = f"{comparison(results)}\n{alone(results)}\n{_conditions(results)}\n![orders per second]({PLOT})\n"
    readme.write_text(PLACE.sub(lambda _: tables, readme.read_text()))
    rates = {name: [_median(results, (work, name), "rate") for work in ("creates", "updates")] for name in TITLES}
    draw({TITLES[name].strip("*"): pair for name, pair in rates.items()}, PROJECT / PLOT)


def comparison(results: Results) -> str:
    """All contestants."""
    return HEAD + "".join(_line(TITLES[name], *_compared(results, name)) for name in TITLES)


def alone(results: Results) -> str:
    """What only this worker plays, or the bare limit beside it."""
    names = [key for key in results if key[0] in ALONE]
    return HEAD_ALONE + "".join(
        _line(
            f"{ALONE[work]}{name}",
            _number(results, (work, name), "rate"),
            _number(results, (work, name), "peak_mb"),
            _remark(results[work, name]),
        )
        for work, name in names
    )


def _grouped(all_rows: Iterable[Row]) -> Results:
    """Of each workload what was played at its largest scale."""
    played = list(all_rows)
    scales = _scales(played)
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in played:
        if row["scale"] == scales[row["workload"]]:
            groups.setdefault((row["workload"], row["contestant"]), []).append(row)
    return groups


def _scales(played: Iterable[Row]) -> Mapping[str, float]:
    """The largest of each workload."""
    scales: dict[str, float] = {}
    for row in played:
        scales[row["workload"]] = max(row["scale"], scales.get(row["workload"], 0))
    return scales


def _compared(results: Results, name: str) -> Sequence[str]:
    creates = ("creates", name)
    cpu = [_number(results, creates, f"cpu_{who}", "{:.2f}") for who in ("contestant", "kafka", "mongo")]
    waited = [_number(results, ("latency", name), figure, "{:.0f}") for figure in ("p50", "p99", "p999")]
    return (
        _number(results, creates, "rate"),
        _number(results, ("updates", name), "rate"),
        " + ".join(filter(None, cpu)),
        _number(results, creates, "peak_mb"),
        _number(results, creates, "bytes_per_order"),
        " / ".join(filter(None, waited)),
    )


def _number(results: Results, key: tuple[str, str], figure: str, form: str = "{:,.0f}") -> str:
    found = _median(results, key, figure)
    if found is not None:
        return form.format(found)
    failed = [row["failed"] for row in results.get(key, ()) if "failed" in row] if figure == "rate" else []
    return failed[-1] if failed else ""


def _median(results: Results, key: tuple[str, str], figure: str) -> float | None:
    found = [row[figure] for row in results.get(key, ()) if row.get(figure) is not None]
    return median(found) if found else None


def _remark(played: Sequence[Row]) -> str:
    last = played[-1]
    return "; ".join(say(last[figure]) for figure, say in _REMARKS.items() if last.get(figure))


def _memory(seen: Sequence[tuple[int, float]]) -> str:
    return "MB at each tenth: " + ", ".join(f"{mb:.0f}" for _, mb in seen)


def _health(slowest: Mapping[str, float]) -> str:
    return "slowest " + ", ".join(f"`{path}` {milliseconds:.0f} ms" for path, milliseconds in slowest.items())


_REMARKS: Final[Mapping[str, Callable[[Any], str]]] = {
    "memory": _memory,
    "slowest_ms": _health,
}


def _conditions(results: Results) -> str:
    everything = [row for some in results.values() for row in some]
    played = [_extent(name, scale, everything) for name, scale in _scales(everything).items()]
    wrong = [
        f"Not as expected: {work}, {name}: {', '.join(row['wrong'])}."
        for (work, name), some in results.items()
        for row in some
        if row.get("wrong")
    ]
    said = f"Medians of interleaved runs ({', '.join(played)}) on {os.cpu_count()} cores, one broker, one mongod."
    return "\n".join([said, *wrong, ""])


def _extent(workload: str, scale: float, played: Iterable[Row]) -> str:
    runs = max(row["run"] for row in played if row["workload"] == workload)
    return f"{workload} {runs}" + ("" if scale == 1 else f" at scale {scale:g}")


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |\n"
