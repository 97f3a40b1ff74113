"""Run ``python -m benchmarks.faults``: kills amid writes to a store, and to a service.

Writes the counts into ``benchmarks/results/faults.json``, next to those of other parts.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from benchmarks.faults.record import record_counts
from benchmarks.faults.service import kill_service
from benchmarks.faults.store import Faults, run_round


def main() -> None:
    """Run the rounds, print the counts after each, and record them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--url", default="", help="PostgreSQL database; a SQLite file by default")
    parser.add_argument("--service-kills", type=int, default=50)
    options = parser.parse_args()
    rng, faults = random.Random(options.seed), Faults()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or str(Path(folder) / "store.db")
        for number in range(options.rounds):
            run_round(url, rng, faults)
            print(f"{number + 1}: {faults}", flush=True)
    prefix = "postgresql." if options.url else ""
    counts = {
        "kills": faults.kills,
        "copies": faults.copies,
        "acknowledged": faults.acknowledged,
        "lost": faults.lost,
        "doubled": faults.doubled,
        "store_faults": len(faults.faults),
    }
    named = {f"{prefix}{name}": count for name, count in counts.items()}
    if not options.url:
        named |= kill_service(rng, options.service_kills)
    record_counts(named, seed=options.seed)


if __name__ == "__main__":
    main()
