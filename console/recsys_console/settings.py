"""The settings of the console."""

from __future__ import annotations

from dataclasses import dataclass, field

from recsys_client import Tls
from recsys_client.channel import check_address

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine in the Host header of a request."""


@dataclass(frozen=True)
class Settings:
    """The settings of the console.

    Attributes:
        address: Address of the service, HOST:PORT.
        tls: Certificates of the connection to the service; None for plain text.
        timeout: Seconds that a call of the service may take.
        hosts: Names by which browsers reach the console, without ports. A request with another
            Host header is refused, so that a foreign site cannot give its name to this machine.
        secure: Whether browsers reach the console by HTTPS, so that the cookie needs it.
        idle_seconds: Seconds without a request after which a session ends.
        session_seconds: Seconds after which a session ends in any case.
        max_sessions: Largest number of sessions; beyond it the one unused for longest ends.
        max_upload: Largest number of bytes of a form with its picture.

    Example:
        >>> Settings("127.0.0.1:50051").secure
        False
    """

    address: str
    tls: Tls | None = field(default=None, repr=False)
    timeout: float = 10.0
    hosts: tuple[str, ...] = LOOPBACK
    secure: bool = False
    idle_seconds: float = 3600.0
    session_seconds: float = 12 * 3600.0
    max_sessions: int = 10_000
    max_upload: int = 32 * 2**20

    def __post_init__(self) -> None:
        check_address(self.address)
