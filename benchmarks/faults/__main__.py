"""Run ``python -m benchmarks.faults``: kills, and a soak; what is lost, and what grows.

Each part writes its counts into ``benchmarks/results/faults.json``, next to those of the others:

- ``kills``: processes of a service that are killed amid recorded interactions;
- ``store``: writers of a store that are killed, and copies of its files as a power cut leaves them;
- ``postgresql``: the same kills of writers with PostgreSQL, where it is installed;
- ``hostile``: odd requests to every method of a service, next to honest ones;
- ``soak``: an hour of calls with another bundle every minute.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.faults.hostile import attack
from benchmarks.faults.postgresql import postgresql_server
from benchmarks.faults.record import record_counts
from benchmarks.faults.service import kill_service
from benchmarks.faults.soak import soak
from benchmarks.faults.store import Faults, run_round

PARTS = ("kills", "store", "postgresql", "hostile", "soak")


def main() -> None:
    """Run the chosen parts, print what they count, and record it."""
    options = _options()
    for part in options.only:
        if part == "postgresql" and shutil.which("initdb") is None:
            print("postgresql: not installed, skipped", flush=True)
            continue
        counts = _run(part, options)
        print(part, dict(counts), flush=True)
        if not options.quick:
            record_counts(part, counts, seed=options.seed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--quick", action="store_true", help="a tenth or less; records nothing")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("runs/faults"), help="folder of bundles")
    parser.add_argument("--rounds", type=int, help="rounds of kills of writers; by default 50")
    parser.add_argument("--kills", type=int, help="kills of a service; by default 50")
    parser.add_argument("--hostile", type=int, help="hostile calls; by default 20,000")
    parser.add_argument("--soak-minutes", type=float, help="length of the soak; by default 60")
    parser.add_argument("--reload-seconds", type=float, default=60.0)
    options = parser.parse_args()
    defaults = {
        "rounds": (50, 2),
        "kills": (50, 3),
        "hostile": (20_000, 2_000),
        "soak_minutes": (60.0, 3.0),
    }
    for name, (full, quick) in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else full)
    return options


def _run(part: str, options: argparse.Namespace) -> Mapping[str, float]:
    rng = random.Random(f"{options.seed} {part}")
    if part == "kills":
        return kill_service(options.work, rng, options.kills)
    if part == "store":
        with tempfile.TemporaryDirectory() as folder:
            return _kill_writers(str(Path(folder) / "store.db"), options.rounds, rng, "store")
    if part == "postgresql":
        with postgresql_server() as url:
            return _kill_writers(url, max(2, options.rounds // 5), rng, "postgresql")
    if part == "hostile":
        return attack(options.work, requests=options.hostile)
    return soak(options.work, minutes=options.soak_minutes, reload_seconds=options.reload_seconds)


def _kill_writers(url: str, rounds: int, rng: random.Random, prefix: str) -> Mapping[str, float]:
    faults = Faults()
    for number in range(rounds):
        run_round(url, rng, faults)
        print(f"{number + 1}: {faults}", flush=True)
    counts = {
        "kills": faults.kills,
        "copies": faults.copies,
        "acknowledged": faults.acknowledged,
        "lost": faults.lost,
        "doubled": faults.doubled,
        "faults": len(faults.faults),
    }
    return {f"{prefix}.{name}": count for name, count in counts.items()}


if __name__ == "__main__":
    main()
