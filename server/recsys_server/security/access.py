"""Whether a call is allowed: its token, the scope of its method, and the rate of the token."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path

from limits import RateLimitItem

from recsys.errors import (
    ConfigError,
    OverloadedError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from recsys_server.security.rates import SharedRates
from recsys_server.security.tokens import Token, hash_token, read_tokens

RELOAD_SECONDS = 1.0
"""Time between two looks at the file of tokens."""
_READS = {
    *("Retrieve", "BatchRetrieve", "Describe", "GetHistory", "GetItems", "ListItems", "RankFeed"),
    "ListPipelines",
    *("ListBundles", "GetActiveBundle", "ServerReflectionInfo", "GetStatus", "GetTimeSeries"),
    "GetItemActivity",
    *("GetReport", "CompareReports", "GetItemMap"),
}
_WRITES = {
    *("RecordInteractions", "StreamInteractions", "DeleteUser", "UpsertItems", "DeleteItems"),
}
_FREE = {"grpc.health.v1.Health"}
"""Services without tokens: probes have none."""
_log = logging.getLogger(__name__)


class RateExceededError(OverloadedError):
    """A token has used up its rate; ``token`` is its name."""

    token = ""


Metadata = Iterable[tuple[str, str | bytes]]


class Access:
    """The tokens of a file, read again when the file changes.

    Args:
        path: File of tokens.
        rates: Counts for the rates of tokens, which the workers of a service share; by default
            counts of this process alone.
        clock: Time at which tokens expire.

    Raises:
        ConfigError: The file is missing or damaged. A file that is damaged later changes nothing.
    """

    def __init__(
        self,
        path: Path,
        *,
        rates: SharedRates | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._path = path
        self._clock = clock
        self._rates = rates or SharedRates()
        self._looked = time.monotonic()
        self._state = _state(path)
        self._tokens = _by_hash(read_tokens(path))

    @property
    def path(self) -> Path:
        """File of tokens."""
        return self._path

    def caller(self, metadata: Metadata) -> Token | None:
        """The token of a call that was checked; None if it was revoked meanwhile."""
        found = self._tokens.get(hash_token(_bearer(metadata) or ""))
        return None if found is None else found[0]

    def check(self, metadata: Metadata, service: str, scope: str) -> str:
        """Check a call, and count it for the rate of its token; returns the token's name.

        Args:
            metadata: Metadata of the call, with ``authorization: Bearer TOKEN``.
            service: Short name of the service, such as "catalog".
            scope: Scope that the method needs.

        Raises:
            UnauthenticatedError: There is no token, or it is unknown or has expired.
            PermissionDeniedError: The token lacks the scope.
            RateExceededError: The token has used up its rate.
        """
        secret = _bearer(metadata)
        if secret is None:
            raise UnauthenticatedError(
                "a token is required, as the metadata 'authorization: Bearer T'"
            )
        found = self._current().get(hash_token(secret))
        if found is None:
            raise UnauthenticatedError("the token is unknown; it may have been revoked")
        token, limit = found
        if token.expires is not None and token.has_expired(self._clock()):
            raise UnauthenticatedError(f"the token {token.name} has expired")
        if not token.allows(service, scope):
            raise PermissionDeniedError(
                f"the token {token.name} lacks the scope {scope!r} for the service {service!r}; it "
                f"has {', '.join(token.scopes)}"
            )
        seconds = None if limit is None else self._rates.take(token.name, limit)
        if seconds is not None:
            error = RateExceededError(
                f"the token {token.name} has used up its rate of {token.rate}", retry_after=seconds
            )
            error.token = token.name
            raise error
        return token.name

    def _current(self) -> dict[str, tuple[Token, RateLimitItem | None]]:
        now = time.monotonic()
        if now - self._looked >= RELOAD_SECONDS:
            self._looked = now
            state = _state(self._path)
            if state != self._state:
                self._state = state
                try:
                    self._tokens = _by_hash(read_tokens(self._path))
                    _log.info("read %d tokens again", len(self._tokens))
                except ConfigError as error:
                    _log.error("the tokens stay as they were: %s", error.message)
        return self._tokens


def required_scope(method: str) -> tuple[str, str] | None:
    """Service and scope that a method needs, or None where no token is needed.

    A method that is not listed needs "admin".

    Example:
        >>> required_scope("/recsys.v1.CatalogService/UpsertItems")
        ('catalog', 'write')
    """
    path, _, name = method.lstrip("/").partition("/")
    if path in _FREE:
        return None
    service = path.rpartition(".")[2].removesuffix("Service").lower()
    scope = "read" if name in _READS else "write" if name in _WRITES else "admin"
    return service, scope


def _bearer(metadata: Metadata) -> str | None:
    for key, value in metadata or ():
        if key == "authorization" and isinstance(value, str):
            kind, _, secret = value.partition(" ")
            return secret.strip() if kind.lower() == "bearer" else None
    return None


def _by_hash(tokens: Iterable[Token]) -> dict[str, tuple[Token, RateLimitItem | None]]:
    return {token.sha256: (token, token.limit) for token in tokens}


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
