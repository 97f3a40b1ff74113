"""Settings and tokens of a service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SettingSource = Literal["default", "file", "environment", "option", "unknown"]


@dataclass(frozen=True)
class Setting:
    """A setting of a service.

    Attributes:
        name: Name, with that of its section, such as "limits.k".
        value: Value as JSON; a password is shown as ``***``.
        source: Origin of the value.
        variable: Environment variable that sets it.

    Example:
        >>> Setting("limits.k", "200", "file", "RECSYS_SERVE_LIMITS__K").source
        'file'
    """

    name: str
    value: str
    source: SettingSource
    variable: str


@dataclass(frozen=True)
class TokenRecord:
    """A token without its secret.

    Attributes:
        name: Name, as it is in the log.
        scopes: "read", "write" and "admin" of every service, or "catalog:write" of one.
        created_at: Time at which it was made, in seconds since 1970.
        expires_at: Time from which it is refused; None for never.
        rate: Number of calls per time, such as "100/second"; "" for no limit.
        expired: Whether it is refused because it has expired.
        current: Whether it is the token of the call that listed it.

    Example:
        >>> TokenRecord("search", ("read",), 1704067200).expires_at is None
        True
    """

    name: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None = None
    rate: str = ""
    expired: bool = False
    current: bool = False

    def allows(self, service: str, scope: str) -> bool:
        """Whether it has a scope of a service, such as "write" of "catalog"."""
        return scope in self.scopes or f"{service}:{scope}" in self.scopes


@dataclass(frozen=True)
class CreatedToken:
    """A token that was created.

    Attributes:
        token: The token.
        secret: Secret of the token, which is stored nowhere.

    Example:
        >>> made = CreatedToken(TokenRecord("search", ("read",), 1704067200), "recsys_s3cret")
        >>> "s3cret" in repr(made)
        False
    """

    token: TokenRecord
    secret: str = field(repr=False)
