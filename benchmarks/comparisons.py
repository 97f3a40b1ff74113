"""Encoders side by side on MovieLens-1M and Amazon Beauty, their records and plots kept.

Run ``python -m benchmarks.comparisons [NAME ...]`` with ``RECSYS_DATA_HOME`` set; each is ``recsys
compare-embeddings configs/NAME.toml``, which reuses every row that stands. Writes ``NAME.json`` and
``NAME.png`` into ``benchmarks/results``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

RESULTS, RUNS = Path("benchmarks/results"), Path("runs")
COMPARISONS = ("compare-movielens-1m", "compare-amazon-beauty")


def main(names: Sequence[str]) -> None:
    """Bring each comparison up to date.

    Raises:
        SystemExit: One failed, or a row of it did; its own words have said why.
    """
    for name in names or COMPARISONS:
        arguments = ["compare-embeddings", f"configs/{name}.toml", "--runs", str(RUNS)]
        if subprocess.run([sys.executable, "-m", "recsys.cli", *arguments]).returncode:
            told = " ".join(arguments[:2])
            raise SystemExit(f"not every row of {name} could be measured: mend it, then {told}")
        for kind in ("json", "png"):
            shutil.copyfile(RUNS / name / f"comparison.{kind}", RESULTS / f"{name}.{kind}")


if __name__ == "__main__":
    main(sys.argv[1:])
