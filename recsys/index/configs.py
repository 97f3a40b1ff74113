"""Configuration of an index."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from recsys.config import Config


class ExactConfig(Config):
    """Exact search: every vector is compared with every query.

    Example:
        >>> ExactConfig().kind
        'exact'
    """

    kind: Literal["exact"] = "exact"


class ScannConfig(Config):
    """ScaNN: partition into leaves, score by quantised vectors, reorder by exact ones.

    Source: Guo et al., "Accelerating Large-Scale Inference with Anisotropic Vector Quantization",
    ICML 2020.

    Attributes:
        num_leaves: Number of partitions; "auto" is the square root of the number of vectors.
        leaves_to_search: Number of partitions searched; "auto" is the fewest that reach
            ``target_recall``, "all" searches and reorders everything, like the exact index.
        reorder: Number of the best quantised scores that are computed exactly; "auto" is the fewest
            that allow ``target_recall``.
        target_recall: Share of the exact answer to ``recall_at`` that "auto" must find.
        recall_at: Cutoff k at which the recall is measured.
        tuning_queries: Largest number of queries to measure it on.
        anisotropic_threshold: Weight of an error along a vector relative to one across it.
        dimensions_per_block: Number of dimensions that share one quantised code.
        brute_force_below: Number of vectors below which nothing is partitioned or quantised.

    Example:
        >>> ScannConfig(target_recall=0.95).leaves_to_search
        'auto'
    """

    kind: Literal["scann"] = "scann"
    num_leaves: PositiveInt | Literal["auto"] = "auto"
    leaves_to_search: PositiveInt | Literal["auto", "all"] = "auto"
    reorder: PositiveInt | Literal["auto"] = "auto"
    target_recall: float = Field(default=0.99, gt=0, le=1)
    recall_at: PositiveInt = 100
    tuning_queries: PositiveInt = 1_000
    anisotropic_threshold: float = Field(default=0.2, ge=0, lt=1)
    dimensions_per_block: PositiveInt = 2
    brute_force_below: int = Field(default=1_000, ge=16)


IndexConfig = Annotated[ExactConfig | ScannConfig, Field(discriminator="kind")]
"""Either of the two, distinguished by ``kind``."""
