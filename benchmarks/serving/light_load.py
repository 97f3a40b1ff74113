"""A closed load that takes little processor time, for a load that shares its cores with the server.

gRPC's asyncio client takes about a quarter of a millisecond per call. Here requests are HTTP/2
frames that are written to a socket, and of the answers only the frames' headers are read. The
headers of a call are those of gRPC's client, in the same compressed form.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from benchmarks.serving.load import RETRIEVE

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_LARGEST = 2**31 - 1
_HEAD = Struct(">BHBBI")  # length in three bytes, type, flags, stream
_NUMBER = Struct(">I")
_RECEIVED = 1 << 18
"""Number of bytes that are read at once."""


@dataclass
class LightLoad:
    """The outcome of a load.

    Attributes:
        answered: Number of calls with a message as their answer.
        failed: Number of calls without one.
        seconds: Duration.
        cpu_seconds: Processor time of the load generator.
    """

    answered: int = 0
    failed: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Answered calls per second."""
        return self.answered / self.seconds


def light_load(
    address: str, raws: Iterator[bytes], *, connections: int, per_connection: int, seconds: float
) -> LightLoad:
    """As many calls of ``Retrieve`` as are answered with some in flight on each connection."""
    load = LightLoad()
    opened = [_Connection(address) for _ in range(connections)]
    with selectors.DefaultSelector() as ready:
        began, used = time.perf_counter(), time.process_time()
        for each in opened:
            each.send(raws, per_connection)
            ready.register(each.socket, selectors.EVENT_READ, each)
        while time.perf_counter() - began < seconds:
            for key, _ in ready.select(seconds):
                answered, failed = key.data.receive()
                load.answered += answered
                load.failed += failed
                key.data.send(raws, answered + failed)
        load.seconds = time.perf_counter() - began
        load.cpu_seconds = time.process_time() - used
    for each in opened:
        each.socket.close()
    return load


class _Connection:
    """A connection: its next stream, and the bytes of the frame that is still arriving."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream, self._rest = 1, b""
        self._with_message = set[int]()
        self._headers = _first_headers(address)
        # Windows so large that none has to be updated.
        window = b"\x00\x04" + _NUMBER.pack(_LARGEST)
        self.socket.sendall(
            _PREFACE
            + _frame(_SETTINGS, 0, 0, window)
            + _frame(_WINDOW, 0, 0, _NUMBER.pack(_LARGEST - 65_535))
        )

    def send(self, raws: Iterator[bytes], count: int) -> None:
        """Begin calls."""
        frames = []
        for _ in range(count):
            raw = next(raws)
            frames.append(_frame(_HEADERS, _END_HEADERS, self._stream, self._headers))
            frames.append(
                _frame(_DATA, _END_STREAM, self._stream, b"\0" + _NUMBER.pack(len(raw)) + raw)
            )
            self._headers = _NEXT_HEADERS
            self._stream += 2
        if frames:
            self.socket.sendall(b"".join(frames))

    def receive(self) -> tuple[int, int]:
        """Read what has arrived; returns the numbers of calls with a message and without one."""
        found = self.socket.recv(_RECEIVED)
        if not found:
            raise ConnectionError("the server has closed the connection")
        data, at, answered, failed = self._rest + found, 0, 0, 0
        while len(data) - at >= _HEAD.size:
            high, low, kind, flags, stream = _HEAD.unpack_from(data, at)
            end = at + _HEAD.size + (high << 16 | low)
            if end > len(data):
                break
            if kind == _DATA:
                self._with_message.add(stream)
            elif kind == _RESET or (kind == _HEADERS and flags & _END_STREAM):
                has_message = stream in self._with_message
                self._with_message.discard(stream)
                answered += has_message
                failed += not has_message
            elif kind in (_SETTINGS, _PING) and not flags & _ACK:
                payload = data[at + _HEAD.size : end] if kind == _PING else b""
                self.socket.sendall(_frame(kind, _ACK, 0, payload))
            elif kind == _GOAWAY:
                raise ConnectionError("the server ends the connection")
            at = end
        self._rest = data[at:]
        return answered, failed


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    size = len(payload)
    return _HEAD.pack(size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def _first_headers(address: str) -> bytes:
    """The headers of the first call of a connection, which the server adds to its table."""
    known = ((4, RETRIEVE.encode()), (1, address.encode()), (31, b"application/grpc"))
    others = ((b"te", b"trailers"), (b"grpc-timeout", b"30S"), (b"user-agent", b"light-load"))
    return b"".join(
        [
            b"\x83\x86",  # POST over http
            *(bytes([0x40 | name]) + _sized(value) for name, value in known),
            *(b"\x40" + _sized(name) + _sized(value) for name, value in others),
        ]
    )


def _sized(value: bytes) -> bytes:
    return bytes([len(value)]) + value


_NEXT_HEADERS = b"\x83\x86" + bytes(0x80 | number for number in range(67, 61, -1))
"""The same for later calls: the positions in the table, the newest first at 62."""
