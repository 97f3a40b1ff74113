"""The addresses of a service, reserved before its workers listen on them.

A port is shared by the workers (SO_REUSEPORT), which any process of the same user could join. The
reservation makes sure that no other process has the port, on any address of the host.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from recsys.errors import ServiceError

_ATTEMPTS = 20
_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # as ::1 where the machine has no IPv6


@dataclass(frozen=True, eq=False)
class Reservation:
    """Addresses that only this process and its workers use; see :meth:`of_host`.

    Attributes:
        host: Name or address of the host, as it was given.
        port: Port, the same on every address.
        addresses: Addresses to listen on, ``ADDRESS:PORT``; several where a name has several.

    Example:
        >>> with Reservation.of_host("127.0.0.1", 0) as reservation:
        ...     reservation.addresses == (f"127.0.0.1:{reservation.port}",)
        True
    """

    host: str
    port: int
    addresses: tuple[str, ...]
    _sockets: tuple[socket.socket, ...]

    @classmethod
    def of_host(cls, host: str, port: int) -> Reservation:
        """Reserve a port on every address of a host; port 0 takes one that is free on all.

        Raises:
            ServiceError: The host is unknown, or another process has the port on one of the
                addresses.
        """
        found = _resolve(host)
        for attempt in range(_ATTEMPTS):
            sockets: list[socket.socket] = []
            try:
                for address in found:
                    taken = sockets[0].getsockname()[1] if sockets else port
                    if (reserved := _reserve(address, taken)) is not None:
                        sockets.append(reserved)
            except OSError as error:
                for each in sockets:
                    each.close()
                if port == 0 and error.errno == errno.EADDRINUSE and attempt < _ATTEMPTS - 1:
                    continue  # free on the first address only
                raise ServiceError(_refusal(address, port, error), field="port") from error
            if not sockets:
                raise ServiceError(
                    f"this machine has none of the addresses of {host}", field="host"
                )
            return cls(host, sockets[0].getsockname()[1], tuple(map(_name, sockets)), (*sockets,))
        raise AssertionError("the last attempt returns or raises")

    @property
    def address(self) -> str:
        """The address to print, with the host as it was given."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def close(self) -> None:
        """End the reservation; listening workers keep the port."""
        for each in self._sockets:
            each.close()

    def __enter__(self) -> Reservation:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _resolve(host: str) -> Sequence[tuple[int, str]]:
    """Family and address of each address of a host."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ServiceError(f"the host {host!r} is unknown: {error}", field="host") from error
    return list(dict.fromkeys((int(family), str(address[0])) for family, *_, address in found))


def _reserve(address: tuple[int, str], port: int) -> socket.socket | None:
    """A socket that is bound to an address and never listens; None where there is no such address.

    The first socket is bound without SO_REUSEPORT, which fails if any other process has the port.
    """
    try:
        with _socket(address[0]) as exclusive:
            exclusive.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            exclusive.bind((address[1], port))
            port = exclusive.getsockname()[1]
        shared = _socket(address[0])
        try:
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.bind((address[1], port))
        except OSError:
            shared.close()
            raise
        return shared
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise


def _socket(family: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    return made


def _name(reserved: socket.socket) -> str:
    address, port = reserved.getsockname()[:2]
    return f"[{address}]:{port}" if reserved.family == socket.AF_INET6 else f"{address}:{port}"


def _refusal(address: tuple[int, str], port: int, error: OSError) -> str:
    name = f"[{address[1]}]" if ":" in address[1] else address[1]
    if error.errno == errno.EADDRINUSE:
        remedy = "is the port taken? Choose another, or 0 for a free one"
        return f"cannot listen on {name}:{port}; {remedy}"
    return f"cannot listen on {name}:{port}: {error.strerror}"
