"""Transfer of user vectors from a large stream to a small one, compared with training it alone.

Run ``python -m benchmarks.transfer`` with ``RECSYS_DATA_HOME`` set; an interrupted run continues.
Writes ``benchmarks/results/transfer.json``.

A service knows its users from a large organic stream. A new, small stream starts, as advertising
would: other items, a hundredth of the interactions. The benchmark measures the gain of the users'
organic vectors as features of the small stream's query tower.

Protocol (:mod:`benchmarks.transfer.streams`), on MovieLens-1M: a fifth of the films, drawn once,
belongs to the small stream, the others to the organic one. Each user's sequence is cut after four
fifths of it: the organic stream is before the cut, the small one after it, so that the user vectors
contain neither films nor time of the small stream. A hundredth as many interactions as the fifth's
films have are drawn for training, about 0.3 per user. Of the others, those of a fifth of the users
are for validation, and those of the other users for the test: recall@50 of a user's later films
among all films of the fifth except the user's training items. The organic towers are trained once
(``configs/transfer-organic.toml``) and exported; the draw and the training of the small stream
(``configs/transfer-small.toml``) change with each of three seeds.

The same towers and settings are trained with and without the user vectors. Each side chooses its
inputs and its temperature by the mean validation figure; the record holds all variants.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.transfer.streams import write_streams
from recsys.cli.output import print_table
from recsys.evaluation import PopularityScorer, Scorer
from recsys.evaluation.record import write_record
from recsys.formats import locate
from recsys.pipeline import Job, load_run_config, open_job, run_job
from recsys.pipeline.exporting import export_embeddings
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import load_record
from recsys.pipeline.training import train_towers
from recsys.screen import Screen
from recsys.tuning.cached import cached_result
from recsys.tuning.table import figure_cell, means
from recsys.tuning.variants import TRAINED, evaluate_part

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
"""Inputs of the towers in addition to item ids; the first two need the user vectors."""
SIDES = {"transfer": "projection", "scratch": "none"}
Rows = dict[tuple[str, str], list[dict[str, float]]]


def main() -> None:
    """Train and score every variant of both sides with every seed; write and print the table."""
    rows: Rows = {}
    with Screen() as screen:
        users = _organic_users(screen)
        for seed in SEEDS:
            _score_small_stream(screen, users, seed, rows)
    table = [{"side": side, "variant": name, **means(each)} for (side, name), each in rows.items()]
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
    metrics = ("validation", METRIC, "recall@10")
    lines = [
        [
            row["side"],
            row["variant"] + (" (chosen)" if row is chosen[row["side"]] else ""),
            *(figure_cell(row, metric) for metric in metrics),
        ]
        for row in sorted(table, key=lambda row: (row["side"], -row["validation"]))
    ]
    print_table(["side", "inputs in addition to item ids", *metrics], lines)
    print(f"gain of transfer: {gain:+.1%}")


def _organic_users(screen: Screen) -> Path:
    """File of the user vectors that are trained on the organic stream."""
    data = locate("movielens-1m")
    write_streams(data / "sequences.parquet", data / "items.parquet", RUNS / "streams", SEEDS)
    job = open_job(ORGANIC, runs=RUNS, progress=screen)
    run_job(job, until="train", observer=screen)
    export_embeddings(job, RUNS / "exported")
    return RUNS / "exported" / "users.parquet"


def _score_small_stream(screen: Screen, users: Path, seed: int, rows: Rows) -> None:
    """Add the figures of every variant with one seed to ``rows``."""
    small = load_run_config(SMALL)
    log = small.data.interactions.model_copy(
        update={"path": str((RUNS / "streams" / f"small-{seed}.parquet").resolve())}
    )
    data = small.data.model_copy(update={"interactions": log, "user_vectors": str(users.resolve())})
    config = small.model_copy(update={"data": data, "seed": seed})
    job = Job.from_config(config, SMALL.parent, runs=RUNS)
    job = replace(job, folder=RUNS / f"small-{seed}")
    run_job(job, until="encode", observer=screen)
    rows.setdefault(("popularity", ""), []).append(_scores(job, PopularityScorer(job.split.train)))
    variants = [
        (side, inputs, temperature)
        for side in SIDES
        for inputs in INPUTS
        for temperature in TEMPERATURES
        if side == "transfer" or not inputs.startswith(("nothing", "item"))
    ]
    for done, (side, inputs, temperature) in enumerate(variants, start=1):
        name = f"{inputs}, temperature {temperature}"
        figures = _train(_variant(job, side, inputs, temperature, seed))
        rows.setdefault((side, name), []).append(figures)
        screen(f"small stream, seed {seed}", done, len(variants), f"{side}: {name}")


def _variant(job: Job, side: str, inputs: str, temperature: float, seed: int) -> Job:
    changes = {**INPUTS[inputs], "history": {"name": INPUTS[inputs]["history"]}}
    values = {**job.config.towers.model_dump(), **changes, "user_vectors": SIDES[side]}
    towers = type(job.config.towers).model_validate(values)
    loss = job.config.train.loss.model_copy(update={"temperature": temperature})
    train = job.config.train.model_copy(update={"loss": loss, "seed": seed})
    config = job.config.model_copy(update={"towers": towers, "train": train})
    return replace(job, given=config)


def _train(job: Job) -> dict[str, float]:
    """Figures of a variant, trained or cached."""

    def compute(folder: Path) -> dict[str, float]:
        fitted = train_towers(job, folder / "training")
        return _scores(job, towers_scorer(fitted.towers, known=job.known_users))

    encoded = (load_record(job.folder / "encode") or {})["fingerprint"]
    settings = job.config.model_dump(mode="json", include=set(TRAINED))
    result = cached_result(
        job.folder / "variants", name="variant", depends_on=[encoded, settings], compute=compute
    )
    return {metric: result[metric] for metric in ("validation", METRIC, "recall@10")}


def _scores(job: Job, scorer: Scorer) -> dict[str, float]:
    validation = evaluate_part(scorer, job.split, "validation", [METRIC])[METRIC]
    test = evaluate_part(scorer, job.split, "test", [METRIC, "recall@10"])
    return {"validation": validation, **test}


if __name__ == "__main__":
    main()
