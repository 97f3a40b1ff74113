"""A run whose towers read search terms only is validated, evaluated and queried with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.cli.trial import with_default_query
from recsys.evaluation import evaluate_queries
from recsys.pipeline import open_job, run_job
from recsys.pipeline.scoring import batch_of, towers_scorer
from tests.pipeline.tiny import write_tiny


def test_every_query_has_its_terms(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "shop", pictures="skip")
    mean = 'history = { name = "mean", window = 10 }'
    path.write_text(path.read_text().replace(mean, 'history = { name = "none" }'))
    job = open_job(path, runs=tmp_path / "runs")
    done = {each.stage: each for each in run_job(job, until="evaluate")}
    evaluated = done["evaluate"].figures
    assert "two_tower_with_terms.recall@5" not in evaluated

    parts, known = job.split, job.split.train.active_users
    scorer = towers_scorer(job.towers, known=known, phrases=job.phrases)
    again = evaluate_queries(
        scorer,
        parts.test,
        candidates=parts.candidates,
        item_counts=parts.train.item_counts,
        ks=(5,),
        resamples=1,
    )
    assert evaluated["two_tower.recall@5"] == again.figures["recall@5"]
    vectors = job.towers.encode(batch_of(parts.test, known=known, phrases=job.query_phrases))
    assert len(np.unique(vectors, axis=0)) > 1
    query = with_default_query(job, job.config.serve.call).query
    assert query.user_id is None and query.terms == job.ingested.interactions.phrases[1]
