"""The three data sets, their metrics, and the figures that others published on them.

Published figures rank the whole catalogue on the same files and the same split. MovieLens-1M has
none: its preparation differs from paper to paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Figures = Mapping[str, float]


@dataclass(frozen=True)
class DataSet:
    """One data set.

    Attributes:
        name: Name of the data set in the record.
        title: Title of its table.
        config: Configuration of the engine's run.
        metrics: Metrics; the last orders the table.
        published: Figures of others by model.
        ensemble: Configuration of an ensemble, which has a line of its own.
    """

    name: str
    title: str
    config: Path
    metrics: tuple[str, ...]
    published: Mapping[str, Figures] = field(default_factory=dict)
    ensemble: Path | None = None


def _hits(hr: float, ndcg: float) -> Figures:
    return {"hr@10": hr, "ndcg@10": ndcg}


def _recall(recall: float, ndcg: float) -> Figures:
    return {"recall@20": recall, "ndcg@20": ndcg}


BEAUTY = DataSet(
    "beauty",
    "Amazon Beauty",
    Path("configs/amazon-beauty.toml"),
    ("hr@10", "ndcg@10"),
    published={
        "SASRec (in S3-Rec)": _hits(0.0605, 0.0318),
        "S3-Rec": _hits(0.0647, 0.0327),
        "TIGER": _hits(0.0648, 0.0384),
    },
    ensemble=Path("configs/amazon-beauty-ensemble.toml"),
)
MOVIELENS = DataSet(
    "movielens-1m",
    "MovieLens-1M",
    Path("configs/movielens-1m.toml"),
    ("hr@10", "ndcg@10"),
)
GOWALLA = DataSet(
    "gowalla",
    "Gowalla",
    Path("configs/gowalla.toml"),
    ("recall@20", "ndcg@20"),
    published={
        "MF-BPR": _recall(0.1627, 0.1378),
        "YoutubeDNN": _recall(0.1754, 0.1473),
        "LightGCN": _recall(0.1820, 0.1547),
        "UltraGCN": _recall(0.1862, 0.1580),
        "SimpleX": _recall(0.1872, 0.1557),
    },
)
DATA_SETS = {each.name: each for each in (BEAUTY, MOVIELENS, GOWALLA)}
