"""Embeddings learned on one task feed another: users of a large stream help a small one.

Run ``python -m benchmarks.transfer`` with ``RECSYS_DATA_HOME`` set; it goes on where it was
stopped. Writes ``benchmarks/results/transfer.json``.

The question. A service knows its users from a large organic stream. A new, small stream begins, as
advertising would be: other items, a hundredth of the interactions. Do the users' organic vectors,
as features of the query tower, help it, against learning it alone?

The streams (:mod:`benchmarks.transfer_streams`), from MovieLens-1M. A fifth of the films, drawn
once, is the small stream's, the other four fifths are the organic one's: no film is in both. Each
user's sequence is cut after four fifths of it: the organic stream is what lies before, in order,
the small one begins there. So the users' vectors know nothing of the small stream, neither its
films nor its time. As many interactions as a hundredth of all those on the fifth are drawn from it
to learn from, about 0.3 a user. Of the others, those of a fifth of the users choose settings and
epochs, and those of the other users are the test.

The way is the product's own: ``configs/transfer-organic.toml`` is trained, ``export_embeddings``
writes its users, and ``configs/transfer-small.toml`` reads them as ``data.user_vectors``.

The question of the test: per user, what they will meet of the fifth's films, all of which are
ranked but those of the user's own training interactions; recall@50. The organic towers are trained
once; what is drawn for training, who chooses, and the towers' beginning change with each of three
seeds.

What stands against each other: the same towers and settings with and without the users' vectors.
Each side chooses its inputs and its temperature by the mean of its validation figures; the test
figures of all stand in the table, losers too, beside popularity.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.transfer_streams import write_streams
from recsys.cli.output import print_table
from recsys.cli.screen import Screen
from recsys.evaluation import PopularityScorer, Scorer, evaluate
from recsys.evaluation.record import write_record
from recsys.files import read_json, sha256_json
from recsys.formats import locate
from recsys.pipeline import Job, open_job, run_job
from recsys.pipeline.exporting import export_embeddings
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import RECORD
from recsys.pipeline.training import train_towers
from recsys.progress import silent

ORGANIC, SMALL = Path("configs/transfer-organic.toml"), Path("configs/transfer-small.toml")
RUNS, RESULT = Path("runs/transfer"), Path("benchmarks/results/transfer.json")
SEEDS = (1, 2, 3)
METRIC = "recall@50"
TEMPERATURES = (0.3, 0.7)

ALONE: dict[str, Any] = {"user_id": "none", "history": "none", "blocks": ()}
CONTENT = ("text", "attributes")
INPUTS: dict[str, dict[str, Any]] = {
    "nothing else": ALONE,
    "item content": {**ALONE, "blocks": CONTENT},
    "user id": {**ALONE, "user_id": "embedding"},
    "history": {**ALONE, "history": "mean"},
    "user id, history": {**ALONE, "user_id": "embedding", "history": "mean"},
    "history, item content": {**ALONE, "history": "mean", "blocks": CONTENT},
}
"""What the towers read beside item ids; the first two say nothing of the user by themselves."""
SIDES = {"transfer": "projection", "scratch": "none"}


def main() -> None:
    """Train and score every variant of both sides with every seed; write and print the table."""
    with Screen() as screen:
        users = _organic_users(screen)
        rows = [row for seed in SEEDS for row in _small(screen, users, seed)]
    table = _over_seeds(rows)
    chosen = {
        side: max((row for row in table if row["side"] == side), key=lambda row: row["validation"])
        for side in (*SIDES, "popularity")
    }
    figures = {}
    for side, row in chosen.items():
        name = "transfer" if side == "transfer" else f"transfer.{side}"
        figures[f"{name}.{METRIC}"] = row[METRIC]
        figures[f"{name}.{METRIC}.std"] = row[f"{METRIC}.std"]
    gain = figures[f"transfer.{METRIC}"] / figures[f"transfer.scratch.{METRIC}"] - 1
    write_record(
        RESULT,
        name="transfer",
        command="python -m benchmarks.transfer",
        seeds=SEEDS,
        figures={**figures, "transfer.gain": gain},
        chosen={side: row["variant"] for side, row in chosen.items()},
        rows=table,
    )
    _show(table, {side: row["variant"] for side, row in chosen.items()}, gain)


def _organic_users(screen: Screen) -> Path:
    """The users' vectors of the organic stream, learned and exported."""
    data = locate("movielens-1m")
    write_streams(data / "sequences.parquet", data / "items.parquet", RUNS / "streams", SEEDS)
    job = open_job(ORGANIC, runs=RUNS, progress=screen)
    run_job(job, until="train", observer=screen)
    export_embeddings(job, RUNS / "exported")
    return RUNS / "exported" / "users.parquet"


def _small(screen: Screen, users: Path, seed: int) -> list[dict[str, Any]]:
    """Every variant of the small stream of one seed: validation and test figures."""
    job = open_job(SMALL, runs=RUNS, progress=silent)
    log = job.config.data.interactions.model_copy(
        update={"path": str((RUNS / "streams" / f"small-{seed}.parquet").resolve())}
    )
    data = job.config.data.model_copy(
        update={"interactions": log, "user_vectors": str(users.resolve())}
    )
    config = job.config.model_copy(update={"data": data, "seed": seed})
    job = replace(job, config=config, folder=RUNS / f"small-{seed}")
    run_job(job, until="encode", observer=screen)
    rows = [_row("popularity", "", seed, _scores(job, PopularityScorer(job.split.train)))]
    variants = [
        (side, inputs, temperature)
        for side in SIDES
        for inputs in INPUTS
        for temperature in TEMPERATURES
        if side == "transfer" or not inputs.startswith(("nothing", "item"))
    ]
    for done, (side, inputs, temperature) in enumerate(variants):
        what = f"{inputs}, temperature {temperature}"
        screen(f"small stream, seed {seed}", done, len(variants), f"{side}: {what}")
        rows.append(_row(side, what, seed, _trained(job, side, inputs, temperature, seed)))
    screen(f"small stream, seed {seed}", len(variants), len(variants))
    return rows


def _trained(
    job: Job, side: str, inputs: str, temperature: float, seed: int
) -> dict[str, dict[str, float]]:
    """Train one variant, or take what is there; its figures."""
    asked = {**job.config.towers.model_dump(), **INPUTS[inputs], "user_vectors": SIDES[side]}
    asked["history"] = {"name": asked["history"]}
    loss = job.config.train.loss.model_copy(update={"temperature": temperature})
    train = job.config.train.model_copy(update={"loss": loss, "seed": seed})
    towers = type(job.config.towers).model_validate(asked)
    config = job.config.model_copy(update={"towers": towers, "train": train})
    variant = replace(job, config=config)
    folder = job.folder / "variants" / _fingerprint(variant)
    fitted = train_towers(variant, folder)
    return _scores(variant, towers_scorer(fitted.towers, known=variant.known_users))


def _scores(job: Job, scorer: Scorer) -> dict[str, dict[str, float]]:
    """Recall on validation and on test."""
    parts = job.split
    return {
        name: dict(
            evaluate(
                scorer,
                queries,
                candidates=parts.candidates,
                item_counts=parts.train.item_counts,
                ks=(10, 50),
                resamples=1,
            ).figures
        )
        for name, queries in (("validation", parts.validation), ("test", parts.test))
    }


def _row(side: str, variant: str, seed: int, scores: dict[str, dict[str, float]]) -> dict[str, Any]:
    return {
        "side": side,
        "variant": variant,
        "seed": seed,
        "validation": scores["validation"][METRIC],
        METRIC: scores["test"][METRIC],
        "recall@10": scores["test"]["recall@10"],
    }


def _over_seeds(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line a variant: means, and the spread over the seeds."""
    made = []
    for side, variant in dict.fromkeys((row["side"], row["variant"]) for row in rows):
        mine = [row for row in rows if (row["side"], row["variant"]) == (side, variant)]
        line: dict[str, Any] = {"side": side, "variant": variant}
        for metric in ("validation", METRIC, "recall@10"):
            values = [row[metric] for row in mine]
            line[metric] = float(np.mean(values))
            line[f"{metric}.std"] = float(np.std(values, ddof=1))
        made.append(line)
    return made


def _fingerprint(job: Job) -> str:
    """Of all that a training run depends on, so that none goes on from another's checkpoints."""
    encoded = read_json(job.folder / "encode" / RECORD)
    asked = job.config.model_dump(mode="json", include={"split", "towers", "train"})
    return sha256_json([encoded["fingerprint"], asked])[:16]


def _show(table: list[dict[str, Any]], chosen: dict[str, str], gain: float) -> None:
    metrics = ("validation", METRIC, "recall@10")
    lines = [
        [
            row["side"],
            row["variant"] + (" *" if chosen[row["side"]] == row["variant"] else ""),
            *(f"{row[metric]:.4f} ± {row[f'{metric}.std']:.4f}" for metric in metrics),
        ]
        for row in sorted(table, key=lambda row: (row["side"], -row["validation"]))
    ]
    print_table(["", "beside item ids", *metrics], lines)
    print(f"* chosen on validation; transfer over scratch: {gain:+.1%}")


if __name__ == "__main__":
    main()
