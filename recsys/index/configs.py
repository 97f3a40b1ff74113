"""Configuration of an index."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from recsys.config import Config
from recsys.index.storage import Storage


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
        num_leaves: Number of partitions; "auto" is the fastest of a few multiples of the square
            root of the number of vectors, tried on a part of them where there are many.
        leaves_to_search: Number of partitions searched; "auto" is tuned for every k, "all" searches
            and reorders everything, like the exact index.
        reorder: Number of the best quantised scores that are computed exactly; "auto" is tuned for
            every k. Either both are "auto" or neither.
        target_recall: Share of the exact answer that "auto" must find, at every k and for every
            kind of query.
        tuning_queries: Number of queries on which "auto" is measured.
        build_seconds: Estimated duration of a build on one core that an "auto" number of leaves may
            cause; "auto" is a minute per million vectors of 64 dimensions, at least one.
        training_rows: Smallest number of vectors on which partitions are trained, 64 per partition
            or more.
        anisotropic_threshold: Weight of an error along a vector relative to one across it.
        dimensions_per_block: Number of dimensions that share one quantised code; "auto" is 1 up to
            256 dimensions, then the least number with 256 codes at most.
        brute_force_below: Number of vectors below which nothing is partitioned or quantised.
        storage: Numbers of the vectors that scores are computed from: "float32", "bfloat16" (half
            the bytes), or "int8" with a factor per vector (about a quarter).

    Example:
        >>> ScannConfig(target_recall=0.95).leaves_to_search
        'auto'
    """

    kind: Literal["scann"] = "scann"
    num_leaves: PositiveInt | Literal["auto"] = "auto"
    leaves_to_search: PositiveInt | Literal["auto", "all"] = "auto"
    reorder: PositiveInt | Literal["auto"] = "auto"
    target_recall: float = Field(default=0.99, gt=0, le=1)
    tuning_queries: PositiveInt = 1_000
    build_seconds: PositiveFloat | Literal["auto"] = "auto"
    training_rows: PositiveInt = 50_000
    anisotropic_threshold: float = Field(default=0.2, ge=0, lt=1)
    dimensions_per_block: PositiveInt | Literal["auto"] = "auto"
    brute_force_below: int = Field(default=1_000, ge=16)
    storage: Storage = "float32"

    @model_validator(mode="after")
    def _both_or_neither(self) -> ScannConfig:
        if self.leaves_to_search != "all" and (
            (self.leaves_to_search == "auto") != (self.reorder == "auto")
        ):
            raise ValueError(
                "leaves_to_search and reorder must both be 'auto' or both be numbers; "
                f"got {self.leaves_to_search!r} and {self.reorder!r}"
            )
        return self


class MilvusConfig(Config):
    """Milvus: a graph of neighbours (HNSW) in a Milvus server, or in Milvus Lite in this process.

    Source: Malkov and Yashunin, "Efficient and Robust Approximate Nearest Neighbor Search Using
    Hierarchical Navigable Small World Graphs", TPAMI 2020.

    Attributes:
        uri: Address of the server, such as "http://localhost:19530"; without one, Milvus Lite holds
            the collection, and its files are part of the index.
        token_env: Environment variable with the server's token; the token itself is never stored.
        collection_prefix: First part of the collection's name; a digest of the vectors follows.
        method: Index of the collection: "hnsw", or "flat" for every vector.
        links: Number of links per vector of the graph (``M``).
        build_width: Number of candidates for a vector's links (``efConstruction``).
        search_width: Number of candidates of a search (``ef``); "auto" is, for each k, the least
            that reaches ``target_recall``.
        target_recall: Share of the exact answer that "auto" must find.
        tuning_queries: Largest number of queries to measure it on.
        exact_below: Number of eligible rows up to which they are compared in this process.
        timeout: Longest duration of a call of the server, in seconds.
        build_timeout: Longest wait for the server to store the vectors, in seconds.

    Example:
        >>> MilvusConfig(uri="http://localhost:19530").token_env
        'MILVUS_TOKEN'
    """

    kind: Literal["milvus"] = "milvus"
    uri: str | None = Field(default=None, pattern=r"^(http|https|tcp)://[^@]+$")
    token_env: str = Field(default="MILVUS_TOKEN", min_length=1)
    collection_prefix: str = Field(default="recsys", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")
    method: Literal["hnsw", "flat"] = "hnsw"
    links: int = Field(default=16, ge=2, le=2_048)
    build_width: PositiveInt = 200
    search_width: PositiveInt | Literal["auto"] = "auto"
    target_recall: float = Field(default=0.99, gt=0, le=1)
    tuning_queries: PositiveInt = 1_000
    exact_below: int = Field(default=4_096, ge=0)
    timeout: float = Field(default=10, gt=0)
    build_timeout: float = Field(default=600, gt=0)


IndexConfig = Annotated[ExactConfig | ScannConfig | MilvusConfig, Field(discriminator="kind")]
"""One of them, distinguished by ``kind``."""
