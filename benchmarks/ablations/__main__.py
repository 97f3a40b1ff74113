"""Ablations of the towers and of their training: each option removed or replaced once.

Run ``python -m benchmarks.ablations`` with ``RECSYS_DATA_HOME`` set; an interrupted run continues.
``--dataset``, ``--only VARIANT`` and ``--seeds`` choose a part. The figures are merged into
``benchmarks/results/ablations.json``, and the tables of ``docs/explanation/quality.md`` are written
from it.

Each TOML file of this folder is a study of ``recsys tune`` (docs/how-to/tune.md), evaluated on
validation; ``cold`` and ``sample`` are evaluated on the test instead, with three seeds each.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.ablations.page import STUDIES, merge, shown_variants, write_page
from recsys.cli.output import print_json, print_table
from recsys.cli.tune import TrialScreen
from recsys.errors import RecsysError
from recsys.pipeline import Job
from recsys.pipeline.scoring import towers_scorer
from recsys.screen import Screen
from recsys.splits import split
from recsys.tuning.study import VariantStudy, open_study
from recsys.tuning.table import variant_columns, variant_lines
from recsys.tuning.variants import Evaluate, compare_variants, evaluate_part, validation_figures

if TYPE_CHECKING:
    from recsys.towers import FitResult

COMMAND, RUNS = "python -m benchmarks.ablations", Path("runs/ablations")
ON_TEST = ("cold", "sample")
"""Studies that are evaluated on the test."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen studies; 1 where a part of them failed."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--dataset", action="append", choices=list(STUDIES), help="default: all")
    parser.add_argument("--only", action="append", default=[], metavar="VARIANT")
    parser.add_argument("--seeds", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--json", action="store_true", help="print the record, not the tables")
    options = parser.parse_args(arguments)
    failures: dict[str, str] = {}
    for name in options.dataset or STUDIES:
        evaluate: Evaluate = figures_on_test if name in ON_TEST else validation_figures
        with Screen() as screen:
            study = open_study(STUDIES[name], runs=RUNS, progress=screen)
            assert isinstance(study, VariantStudy)
            try:
                content = compare_variants(
                    study,
                    command=COMMAND,
                    observer=TrialScreen(screen),
                    only=options.only,
                    seeds=options.seeds,
                    evaluate_trial=evaluate,
                )
            except (RecsysError, OSError) as error:
                failures[name] = str(error)
                continue
        failures |= {f"{name}, {key}": reason for key, reason in content["failures"].items()}
        record = merge(name, content)
        write_page(record)
        if options.json:
            print_json(record)
        else:
            lines = variant_lines(
                shown_variants(record, name), study.metrics, reference=study.reference.name
            )
            print_table(variant_columns(study.metrics), lines, title=study.config.title)
    for name, reason in failures.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    return 1 if failures else 0


def figures_on_test(trial: Job, fitted: FitResult, metrics: Sequence[str]) -> dict[str, float]:
    """Figures of the test queries, and the number of cold items."""
    parts = split(trial.ingested.interactions, trial.config.split)  # a trial's own has no test
    scorer = towers_scorer(
        fitted.towers, known=trial.users_known_from(parts.train), phrases=trial.query_phrases
    )
    figures = evaluate_part(scorer, parts, "test", metrics)
    return {**figures, "cold_items": float((parts.candidates & ~parts.warm).sum())}


if __name__ == "__main__":
    sys.exit(main())
