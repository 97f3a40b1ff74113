"""The collection of one index: rows as primary keys, and their vectors."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np

from recsys.errors import DataError
from recsys.files import sha256_bytes
from recsys.ids import Rows, Vectors
from recsys.index.configs import MilvusConfig
from recsys.index.milvus.connection import Connection, address, pymilvus

MAX_LIMIT = 16_384
"""Largest number of results per query, and of queries per search, that Milvus allows."""
MAX_WIDTH = 32_768
"""Largest number of candidates of a search of the graph (``ef``) that Milvus allows."""
_ROW, _VECTOR = "row", "vector"
_INSERTED_BYTES = 1 << 24
_ANSWERED_PAIRS = 1 << 18
"""Number of (query, row) pairs per search; a message of gRPC must not be too long."""


def collection_name(config: MilvusConfig, digest: str) -> str:
    """Name of the collection of the vectors with this SHA-256 and the settings of its graph.

    The same vectors and settings have the same name, so that a build finds an existing collection.
    """
    key = f"{digest} {config.method} {config.links} {config.build_width}"
    return f"{config.collection_prefix}_{sha256_bytes(key.encode())[:32]}"


@dataclass(frozen=True, eq=False)
class Collection:
    """A collection that holds every row of an index, and is loaded.

    Attributes:
        connection: Connection to its server.
        name: Name of the collection.
    """

    connection: Connection
    name: str

    @classmethod
    def of(cls, connection: Connection, name: str, vectors: Vectors) -> Collection:
        """The collection ``name``, which is made and filled if it does not exist.

        It is filled under another name first: a build that was stopped leaves no half collection.
        """
        self, client = cls(connection, name), connection.client
        timeout = connection.config.timeout
        with connection.translated("build the collection"):
            if client.has_collection(name, timeout=timeout):
                self.open(len(vectors), vectors.shape[1])
                return self
            unfinished = f"{name}_{uuid.uuid4().hex[:8]}"
            _create(connection, unfinished, vectors)
            client.rename_collection(unfinished, name, timeout=timeout)
        self.open(len(vectors), vectors.shape[1])
        return self

    def open(self, items: int, dimension: int) -> None:
        """Load the collection, and compare its size with that of the index.

        Raises:
            DataError: It does not exist, or is of another size.
        """
        client, timeout = self.connection.client, self.connection.config.timeout
        remedy = "build the index again (recsys index)"
        with self.connection.translated("open the collection"):
            if not client.has_collection(self.name, timeout=timeout):
                where = address(self.connection.config)
                raise DataError(f"{where} has no collection '{self.name}'; {remedy}")
            fields = client.describe_collection(self.name, timeout=timeout)["fields"]
            widths = [field["params"].get("dim") for field in fields if field["name"] == _VECTOR]
            if [int(width) for width in widths if width is not None] != [dimension]:
                raise DataError(
                    f"the collection '{self.name}' must hold vectors of {dimension} dimensions; "
                    f"it holds {widths}; drop it and {remedy}"
                )
            client.load_collection(self.name, timeout=timeout)
            counted = client.query(
                self.name,
                filter="",
                output_fields=["count(*)"],
                consistency_level="Strong",
                timeout=timeout,
            )
        count = int(counted[0]["count(*)"])
        if count != items:
            raise DataError(
                f"the collection '{self.name}' holds {count} rows; expected {items}; "
                f"drop it and {remedy}"
            )

    def search(
        self, queries: Vectors, *, limit: int, width: int, expression: str
    ) -> list[tuple[Rows, Vectors]]:
        """Per query at most ``limit`` rows that satisfy the expression, with Milvus' own scores.

        Args:
            queries: float32 ``[b, d]``.
            limit: Number of rows, at most ``MAX_LIMIT``.
            width: Number of candidates that the search of the graph keeps, at least ``limit``.
            expression: Milvus expression; "" for every row.
        """
        config = self.connection.config
        params = {"ef": min(width, MAX_WIDTH)} if config.method == "hnsw" else {}
        step = max(1, min(MAX_LIMIT, _ANSWERED_PAIRS // limit))
        found = []
        with self.connection.translated("search"):
            for start in range(0, len(queries), step):
                answer = self.connection.client.search(
                    self.name,
                    data=list(queries[start : start + step]),
                    anns_field=_VECTOR,
                    limit=limit,
                    filter=expression,
                    search_params={"metric_type": "IP", "params": params},
                    output_fields=[_ROW],  # Milvus Lite would send the vectors.
                    consistency_level="Strong",
                    timeout=config.timeout,
                )
                found += [
                    (np.array(each.ids, np.int32), np.array(each.distances, np.float32))
                    for each in answer
                ]
        return found


def _create(connection: Connection, name: str, vectors: Vectors) -> None:
    config, client, kinds = connection.config, connection.client, pymilvus().DataType
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(_ROW, kinds.INT64, is_primary=True)
    schema.add_field(_VECTOR, kinds.FLOAT_VECTOR, dim=vectors.shape[1])
    graph = {"M": config.links, "efConstruction": config.build_width}
    indexes = client.prepare_index_params()
    indexes.add_index(
        _VECTOR,
        index_type=config.method.upper(),
        metric_type="IP",
        params=graph if config.method == "hnsw" else {},
    )
    client.create_collection(
        name,
        schema=schema,
        index_params=indexes,
        consistency_level="Strong",
        timeout=config.timeout,
    )
    step = max(1, _INSERTED_BYTES // (4 * vectors.shape[1]))
    for start in range(0, len(vectors), step):
        part = vectors[start : start + step]
        rows = [{_ROW: start + i, _VECTOR: vector} for i, vector in enumerate(part)]
        client.insert(name, rows, timeout=config.timeout)
    client.flush(name, timeout=config.build_timeout)
