"""Operations of ``recsys.v1.RetrievalService``, and batches of any size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from recsys_client.convert import read_response, write_request
from recsys_client.errors import InvalidRequestError, RecsysError
from recsys_client.operations.descriptions import read_description
from recsys_client.operations.operation import Operation
from recsys_client.pb.recsys.v1 import description_pb2
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.records.descriptions import Description
from recsys_client.request import SERVICE_BATCH, Request
from recsys_client.response import Response
from recsys_client.statuses import from_status

SERVICE = "/recsys.v1.RetrievalService/"
SERVICE_NAME = "recsys.v1.RetrievalService"


def retrieve(request: Request, bundle: str = "") -> Operation[Response]:
    """The response to one request, of the bundle of a name or of the user's."""
    message = write_request(request)
    message.bundle = bundle
    return Operation(SERVICE + "Retrieve", message, pb.RetrieveResponse, read_response)


def describe() -> Operation[Description]:
    """The description of the service."""
    message = description_pb2.DescribeRequest()
    response = description_pb2.DescribeResponse
    return Operation(SERVICE + "Describe", message, response, read_description)


class Batches:
    """Requests in as many calls as needed, and their answers in the order of the requests.

    Args:
        requests: The requests; one that cannot be sent has its error as the answer.
        bundle: Name of the bundle that answers; "" for that of each user.
    """

    def __init__(self, requests: Sequence[Request], bundle: str = "") -> None:
        self._count = len(requests)
        self._answers: dict[int, Response | RecsysError] = {}
        self._messages: dict[int, pb.RetrieveRequest] = {}
        for position, request in enumerate(requests):
            try:
                self._messages[position] = write_request(request)
                self._messages[position].bundle = bundle
            except InvalidRequestError as error:
                self._answers[position] = error

    def operations(self) -> Iterator[Operation[Mapping[int, Response | RecsysError]]]:
        """The calls; the result of each is passed to :meth:`add`."""
        positions = list(self._messages)
        for start in range(0, len(positions), SERVICE_BATCH):
            yield self._operation(positions[start : start + SERVICE_BATCH])

    def _operation(self, sent: list[int]) -> Operation[Mapping[int, Response | RecsysError]]:
        message = pb.BatchRetrieveRequest(requests=[self._messages[each] for each in sent])

        def read(response: pb.BatchRetrieveResponse) -> Mapping[int, Response | RecsysError]:
            return dict(zip(sent, map(_read_result, response.results)))

        return Operation(SERVICE + "BatchRetrieve", message, pb.BatchRetrieveResponse, read)

    def add(self, answers: Mapping[int, Response | RecsysError]) -> None:
        """Take the answers of one call."""
        self._answers.update(answers)

    def answers(self) -> list[Response | RecsysError]:
        """For each request the response or the error."""
        return [self._answers[position] for position in range(self._count)]


def _read_result(result: pb.RetrieveResult) -> Response | RecsysError:
    failed = result.HasField("error")
    return from_status(result.error) if failed else read_response(result.response)
