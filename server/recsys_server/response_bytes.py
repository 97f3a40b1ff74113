"""The bytes of a response, without an object of protobuf per candidate.

A message is the concatenation of its fields, and that of a candidate is its id, its score and its
rank with a few bytes before each, of which most are the same for all.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain, repeat
from struct import Struct
from sys import byteorder

from google.rpc.status_pb2 import Status

from recsys_client.convert import write_response
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.response import CandidateColumns, Fallback, Response

_ONE_BYTE = 127
"""Largest number that takes one byte of a message."""
_RANKS = 1_000
"""Largest rank whose bytes are kept."""
_LONGEST = 117
"""Number of bytes of an id up to which every length in a candidate takes one byte."""
_HEADS = [
    [b"\n%c\n%c" % (size + 8 + rank_bytes, size) for size in range(_LONGEST + 1)]
    for rank_bytes in (1, 2)
]
"""Per number of bytes of a rank, and of an id, the bytes before the id."""
_TAILS = [
    b"\x18%c" % rank if rank <= _ONE_BYTE else b"\x18%c%c" % (rank & 127 | 128, rank >> 7)
    for rank in range(1, _RANKS + 1)
]
"""Bytes of the ranks from 1."""


def response_bytes(response: Response) -> bytes:
    """The bytes of ``write_response``, sooner for candidates in columns.

    Example:
        >>> response = Response(CandidateColumns(["lamp"], [0.5]), "text")
        >>> response_bytes(response) == write_response(response).SerializeToString()
        True
    """
    found = response.candidates
    if not isinstance(found, CandidateColumns) or found.parts or found.titles:
        return write_response(response).SerializeToString()
    raws = list(map(str.encode, found.ids))
    if len(raws) > _RANKS or max(map(len, raws), default=0) > _LONGEST:
        return write_response(response).SerializeToString()
    scores = array("f", found.scores)
    if byteorder == "big":
        scores.byteswap()
    numbers = _fours(len(scores)).unpack(scores.tobytes())
    first = _candidates(raws[:_ONE_BYTE], numbers, _HEADS[0], _TAILS)
    others = b""
    if len(raws) > _ONE_BYTE:
        others = _candidates(raws[_ONE_BYTE:], numbers[_ONE_BYTE:], _HEADS[1], _TAILS[_ONE_BYTE:])
    return first + others + _rest(response)


def batch_bytes(results: Iterable[bytes | Status], version: str, watermark: int) -> bytes:
    """The bytes of a ``BatchRetrieveResponse`` of the bytes of responses, and of errors.

    Example:
        >>> batch_bytes([b""], "v1", 0)
        b'\\n\\x02\\n\\x00\\x12\\x02v1'
    """
    whole = bytearray()
    for each in results:
        if isinstance(each, bytes):
            result = b"\n%b%b" % (_varint(len(each)), each)
        else:
            result = pb.RetrieveResult(error=each).SerializeToString()
        whole += b"\n%b%b" % (_varint(len(result)), result)
    rest = pb.BatchRetrieveResponse(bundle_version=version, watermark=watermark)
    return bytes(whole) + rest.SerializeToString()


@lru_cache(maxsize=4_096)
def _varint(value: int) -> bytes:
    """A length, as a message holds it."""
    written = bytearray()
    while value > _ONE_BYTE:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)


def _candidates(
    raws: Sequence[bytes],
    numbers: Sequence[bytes],
    heads: Sequence[bytes],
    tails: Sequence[bytes],
) -> bytes:
    before = map(heads.__getitem__, map(len, raws))
    return b"".join(chain.from_iterable(zip(before, raws, repeat(b"\x15"), numbers, tails)))


def _rest(response: Response) -> bytes:
    """The bytes of all fields but the candidates."""
    rare = (
        *(response.unknown_history, response.unknown_exclude, response.short),
        *(response.unread_terms, response.explanation),
    )
    if any(rare):
        return write_response(replace(response, candidates=())).SerializeToString()
    version, mark = response.bundle_version, response.watermark
    return _plain_rest(response.space, version, mark, response.fallback)


@lru_cache(maxsize=256)
def _plain_rest(space: str, version: str, watermark: int, fallback: Fallback | None) -> bytes:
    response = Response((), space, bundle_version=version, watermark=watermark, fallback=fallback)
    return write_response(response).SerializeToString()


@lru_cache(maxsize=64)
def _fours(count: int) -> Struct:
    """Splits the bytes of numbers into those of each."""
    return Struct("4s" * count)
