"""The whole way on MovieLens-1M: quality, what ScaNN loses, and how long it takes.

Run ``python -m benchmarks.movielens_1m`` with ``RECSYS_DATA_HOME`` set. It runs
``recsys run configs/movielens-1m.toml`` in a process of its own. Killed, it goes on where it was;
but ``seconds`` adds up what each stage took from its last start, so only an uninterrupted run
tells how long training takes. Writes ``benchmarks/results/movielens-1m.json``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from recsys.evaluation.record import write_record

CONFIG = Path("configs/movielens-1m.toml")
RESULT = Path("benchmarks/results/movielens-1m.json")


def main() -> None:
    """Run, and keep the figures of the report in the one form."""
    command = [sys.executable, "-m", "recsys.cli", "run", str(CONFIG), "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    report = json.loads(done.stdout)
    write_record(
        RESULT,
        name="movielens-1m",
        command="python -m benchmarks.movielens_1m",
        seeds=report["seeds"],
        figures=report["figures"],
    )
    for name in ("two_tower.hr@10", "two_tower.ndcg@10", "index.ann_recall@100", "seconds"):
        print(f"{name:24} {report['figures'][name]:.4f}")


if __name__ == "__main__":
    main()
