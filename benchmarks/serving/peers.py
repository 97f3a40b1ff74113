"""Servers to compare with: an empty echo, and TFRS' own ScaNN layer in a synchronous servicer.

Run as ``python -m benchmarks.serving.peers echo BYTES`` or ``... tfrs BUNDLES LEAVES REORDER``; the
address is the first line of the output.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from benchmarks.serving.world import K, num_leaves

NAME = "recsys.v1.RetrievalService"


def echo(size: int) -> None:
    """Serve the same bytes to every call."""
    response = bytes(size)

    async def respond(request: bytes, context: Any) -> bytes:
        return response

    async def serve() -> None:
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        handlers = {"Retrieve": grpc.unary_unary_rpc_method_handler(respond)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        print(f"127.0.0.1:{port}", flush=True)
        await server.wait_for_termination()

    asyncio.run(serve())


def tfrs_layer(bundles: Path, leaves: int, reorder: int) -> None:
    """Serve histories by the trained Keras tower and ``tfrs.layers.factorized_top_k.ScaNN``."""
    import numpy as np

    from recsys._tf import compiled, tf, tfrs
    from recsys.bundle import open_bundle
    from recsys.towers.model.query_tower import QueryTower
    from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb

    retriever: Any = open_bundle(bundles, "current").retriever
    items, ours = np.asarray(retriever.towers.item_vectors), retriever.towers
    keras = QueryTower.empty(ours.config, ours.sizes)
    keras.set_weights(list(ours.query_weights))
    ids = retriever.catalogue.ids
    layer = tfrs.layers.factorized_top_k.ScaNN(
        k=K,
        distance_measure="dot_product",
        num_leaves=num_leaves(len(items)),
        num_leaves_to_search=leaves,
        num_reordering_candidates=reorder,
    )
    layer.index(tf.constant(items))
    zero, none = tf.zeros((1,), tf.int32), tf.zeros((1,))

    def by_layer(rows: Any) -> Any:
        vectors = tf.gather(tf.constant(items), rows)[None]
        state = keras.states(vectors)[:, -1]
        inputs = {"state": state, "user": zero, "user_known": none}
        inputs |= {"terms": tf.zeros((1, 0)), "terms_known": none}
        return layer(keras(inputs))

    search = compiled(by_layer, input_signature=[tf.TensorSpec([None], tf.int32)])

    def respond(raw: bytes, context: Any) -> bytes:
        request = pb.RetrieveRequest.FromString(raw)
        rows = ids.rows(list(request.query.history.item_ids))
        scores, found = search(tf.constant(rows))
        response = pb.RetrieveResponse()
        pairs = zip(ids.ids(found.numpy()[0]), scores.numpy()[0].tolist())
        for rank, (id_, score) in enumerate(pairs, start=1):
            response.candidates.add(item_id=id_, score=score, rank=rank)
        return response.SerializeToString()

    server = grpc.server(ThreadPoolExecutor(4))
    handlers = {"Retrieve": grpc.unary_unary_rpc_method_handler(respond)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    if sys.argv[1] == "echo":
        echo(int(sys.argv[2]))
    else:
        tfrs_layer(Path(sys.argv[2]), *map(int, sys.argv[3:]))
