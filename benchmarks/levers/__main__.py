"""The ablation of the towers: each lever removed or replaced once, the losers left in.

Run ``python -m benchmarks.levers`` with ``RECSYS_DATA_HOME`` set and nothing else on the machine;
it goes on where it was stopped. ``--dataset``, ``--only VARIANT`` and ``--seeds`` choose a part;
its figures take their place in ``benchmarks/results/levers.json``, and the tables in
``docs/quality.md``.

The base is one pair of towers of the data set's preset (``configs/``), with three seeds, so that
the spread is known; a variant has one. All are judged on validation, the test is not looked at.
Each has one setting, as in its paper or as the engine's default is, and was not tuned. ``cold`` is
Amazon Beauty with a tenth of the items withheld, three seeds each, scored on the test.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.levers.results import COMMAND, entry, merge
from benchmarks.levers.tables import rows
from benchmarks.levers.training import Bench
from benchmarks.levers.world import Variant, World
from benchmarks.levers.worlds import WORLDS
from benchmarks.quality.asking import EXPECTED, Tell, brought, on_stderr, seeds_of, shown
from benchmarks.quality_page import write as write_page

RUNS, RESULT = Path("runs/levers"), Path("benchmarks/results/levers.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring the parts asked for up to date; 1 where one of them failed."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    worlds = [WORLDS[name] for name in asked.dataset or WORLDS]
    known = {variant.name for world in worlds for variant in world.variants}
    unknown = sorted(set(asked.only) - known)
    if unknown:
        parser.error(f"no variant '{unknown[0]}'; there are: {', '.join(sorted(known))}")
    tell, failures = on_stderr(), list[str]()
    for world in worlds:
        failures += _world(world, asked.only, asked.seeds, tell)
    shown(RESULT, lambda record: [_table(record, each) for each in worlds], as_json=asked.json)
    for failure in failures:
        tell(f"failed: {failure}")
    return 1 if failures else 0


def _world(world: World, only: Sequence[str], seeds: Sequence[int] | None, tell: Tell) -> list[str]:
    """Bring a world's variants up to date; what failed."""
    existing = [each for each in world.variants if not each.last_commit]
    wanted = [each for each in existing if not only or each.name in only]
    if not wanted:
        return []
    try:
        bench, kept = Bench(world, RUNS, tell=tell), world.kept()
    except EXPECTED as error:
        return [f"{world.name}: {error}"]
    for variant in (each for each in wanted if each not in kept):
        tell(f"{world.name}: {variant.name} is what the base is now; left out")
    parts = [
        (
            f"{world.name}, {variant.name}",
            partial(_variant, bench, world, variant, seeds or world.seeds_of(variant), tell),
        )
        for variant in wanted
        if variant in kept
    ]
    return brought(parts, tell)


def _variant(
    bench: Bench, world: World, variant: Variant, seeds: Sequence[int], tell: Tell
) -> None:
    made = {seed: bench.one_seed(variant, seed) for seed in seeds}
    told = entry(world, variant, made, mark=bench.mark)
    merge(RESULT, f"{world.name}.{variant.name}", told)
    write_page(levers=RESULT)
    tell(f"{world.name}: {variant.name} reached {told.get('stopped', told['figures'])}")


def _table(record: Mapping[str, Any], world: World) -> Table:
    table = Table(world.title, *world.metrics, "in std of the base", "minutes")
    for row in rows(record, world):
        table.add_row(row.name, *row.figures, row.beside, row.minutes)
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--dataset", action="append", choices=list(WORLDS), help="default: all")
    parser.add_argument("--only", action="append", default=[], metavar="VARIANT", help="a part")
    parser.add_argument(
        "--seeds", type=seeds_of, help="as 1,2,3; default: these for the base, 1 for the others"
    )
    parser.add_argument("--json", action="store_true", help="print the record, not the tables")
    return parser


if __name__ == "__main__":
    sys.exit(main())
