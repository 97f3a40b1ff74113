"""Tables of ``docs/explanation/index-benchmark.md``, from ``benchmarks/results/index.json``.

``python -m benchmarks.index.page`` writes them and the plots again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.index.figures import cells_of, over_best_peer
from benchmarks.index.peers.search_tuning import TARGETS
from benchmarks.index.plots import TITLES, draw, title
from benchmarks.pages import markdown_table, read_record, update_page

PAGE, RESULT = Path("docs/explanation/index-benchmark.md"), Path("benchmarks/results/index.json")
Record = Mapping[str, Any]


def write_page(record: Record, page: Path = PAGE) -> None:
    """Write the tables of the page, and the plots."""
    update_page(page, sections(record))
    draw(record, RESULT.parent)


def sections(record: Record) -> dict[str, str]:
    """Tables of the page by name; those of parts that the record leaves out are missing."""
    tables = {
        "figures": _figures(record),
        "speed": "\n\n".join(_speed(name, each) for name, each in record["speed"].items()),
        "builds": _builds(record),
        "filters": "\n\n".join(_filters(name, parts) for name, parts in record["filters"].items()),
        "exclusions": _exclusions(record),
        "churn": _churn(record["churn"]),
    }
    if "spaces" in record:
        tables["spaces"] = _spaces(record)
    if "growth" in record:
        tables["growth"] = _growth(record)
    return tables


def _figures(record: Record) -> str:
    definitions = record["definitions"]
    lines = []
    for name, value in record["figures"].items():
        words = next((text for key, text in definitions.items() if name.startswith(key)), "")
        lines.append([f"`{name}`", f"{value:,.3f}", words])
    return markdown_table(["figure", "value", "definition"], lines)


def _speed(name: str, section: Record) -> str:
    lines = []
    for target in TARGETS:
        results = section["targets"][target.name]
        order = sorted(results, key=lambda each: -float(results[each]["batched_qps"]))
        for index in order:
            each = results[index]
            label = f"**{index}**" if index == "ours" else index
            cells = [
                f"{each['batched_qps']:,.0f}",
                f"{each['single_qps']:,.0f}",
                f"{each['p50_us']:,.0f}",
                f"{each['p99_us']:,.0f}",
                f"{each['recall']:.3f}",
            ]
            lines.append([TITLES[target.name], label, *cells])
        ratio = over_best_peer(results, "batched_qps")
        single = over_best_peer(results, "single_qps")
        lines.append(["", "ours over the best peer", f"{ratio:.2f}", f"{single:.2f}", "", "", ""])
    header = ["target", "index", "queries/s batched", "single", "p50 µs", "p99 µs", "recall"]
    return f"{title(name).capitalize()}:\n\n{markdown_table(header, lines)}"


def _builds(record: Record) -> str:
    lines = []
    for name, section in record["speed"].items():
        for index, built in section["builds"].items():
            vectors = built.get("vectors_bytes", 0)
            size = (built["memory_bytes"] + vectors) / section["rows"]
            seconds = f"{built['build_seconds']:,.1f}"
            lines.append([title(name), index, seconds, f"{size:,.0f}"])
    return markdown_table(["data", "index", "build, CPU seconds", "bytes per row"], lines)


def _filters(name: str, parts: Record) -> str:
    peers = [peer for peer, cells in parts["peers"].items() if isinstance(cells, dict)]
    peers = [peer for peer in peers if cells_of(parts["peers"][peer])]
    lines = []
    for cell, ours in cells_of(parts["ours 0.99"]).items():
        line = [
            cell,
            f"{ours['recall']:.3f}",
            f"{ours['ours_p50_us']:,.0f}",
            f"{ours['p50_ratio']:.2f}",
            f"{ours['p99_ratio']:.2f}",
        ]
        for peer in peers:
            other = parts["peers"][peer][cell]
            line.append(f"{other['recall']:.3f}, {other['p50_us']:,.0f}")
        lines.append(line)
    header = ["filter, k", "recall", "p50 µs", "p50 ratio", "p99 ratio"]
    return f"{title(name).capitalize()}:\n\n{markdown_table([*header, *peers], lines)}"


def _exclusions(record: Record) -> str:
    lines = []
    for name, part in record["exclusions"].items():
        data, _, target = name.partition(", ours ")
        for cell, each in cells_of(part).items():
            ratio = f"{each['p50_ratio']:.2f}"
            lines.append([title(data), target, cell, f"{each['recall']:.3f}", ratio])
    return markdown_table(["data", "target", "excluded, k", "recall", "p50 over plain"], lines)


def _spaces(record: Record) -> str:
    lines = []
    for bundle, part in record["spaces"].items():
        for cell, each in cells_of(part).items():
            numbers = [f"{each[key]:.3f}" for key in ("target", "recall", "worst_recall")]
            lines.append([bundle, cell, *numbers])
    header = ["bundle", "space, queries, k", "target", "recall", "worst query"]
    return markdown_table(header, lines)


def _churn(churn: Record) -> str:
    recall = ", ".join(f"{value:.3f}" for value in churn["recall"])
    latency = churn["latency"]
    quiet, busy = (f"{latency[each]['p99_us'] / 1e3:.2f}" for each in ("quiet", "churn"))
    compactions = ", ".join(f"{each['seconds']:.0f} s" for each in churn["compactions"])
    lines = [
        ["rows written per second", f"{churn['rows_per_second']:,.0f}"],
        ["answers compared", f"{churn['answers']:,}"],
        ["wrong rows", f"{churn['wrong_rows']:,}"],
        ["recall@10 before; in eight parts of the time", f"{churn['quiet_recall']:.3f}; {recall}"],
        ["read p99 before; during, ms", f"{quiet}; {busy}"],
        ["duration of the compactions", compactions],
    ]
    return markdown_table(["", "figure"], lines)


def _growth(record: Record) -> str:
    lines = []
    for size, each in record["growth"].items():
        if size.isdigit():
            memory = each["memory_bytes"] + each["vectors_bytes"]
            peak = max(each["peak_bytes"], each["build"]["peak_bytes"])
            cells = [f"{each['build']['build_seconds']:,.1f}", f"{memory / 2**30:,.2f}"]
            cells += [f"{peak / 2**30:,.1f}", f"{each['batched_qps']:,.0f}"]
            lines.append([f"{int(size):,}", *cells, f"{each['recall']:.3f}"])
    header = ["rows", "build, CPU seconds", "GiB served", "peak GiB", "queries/s batched"]
    return markdown_table([*header, "recall@10"], lines)


if __name__ == "__main__":
    write_page(read_record(RESULT))
