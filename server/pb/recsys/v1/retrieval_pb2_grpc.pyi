from collections.abc import Awaitable
from typing import Any

import grpc

from server.pb.recsys.v1 import retrieval_pb2 as pb

class RetrievalServiceStub:
    def __init__(self, channel: grpc.Channel) -> None: ...
    Retrieve: grpc.UnaryUnaryMultiCallable[pb.RetrieveRequest, pb.RetrieveResponse]
    BatchRetrieve: grpc.UnaryUnaryMultiCallable[pb.BatchRetrieveRequest, pb.BatchRetrieveResponse]

class RetrievalServiceServicer:
    def Retrieve(self, request: pb.RetrieveRequest, context: Any) -> Awaitable[pb.RetrieveResponse]: ...
    def BatchRetrieve(self, request: pb.BatchRetrieveRequest, context: Any) -> Awaitable[pb.BatchRetrieveResponse]: ...

def add_RetrievalServiceServicer_to_server(servicer: RetrievalServiceServicer, server: Any) -> None: ...
