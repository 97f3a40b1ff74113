"""Bearer tokens: a file with their hashes, scopes and expiry.

A token is 32 random bytes, shown once when it is made. The file holds its SHA-256, so that whoever
reads the file cannot call the service. A hash that is slow on purpose would protect short passwords
only.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

from limits import RateLimitItem, parse
from pydantic import AfterValidator, Field, ValidationError, field_validator

from recsys.config import Config
from recsys.errors import ConfigError, InvalidRequestError, NotFoundError
from recsys.files import lock, read_json, write_json

PREFIX = "recsys_"
SCOPES = ("read", "write", "admin")
SERVICES = ("retrieval", "interaction", "catalog", "bundle", "feed", "operations")
_LARGEST = 1 << 24
_ALL_SCOPES = (*SCOPES, *(f"{service}:{scope}" for service in SERVICES for scope in SCOPES))


def _scope(value: str) -> str:
    if value not in _ALL_SCOPES:
        raise ValueError(f"must be one of {', '.join(SCOPES)}, or of one service as catalog:write")
    return value


class Token(Config):
    """A token without its secret.

    Attributes:
        name: Name of the token, as it is in logs.
        sha256: SHA-256 of the token, in hex.
        scopes: "read", "write" and "admin" of every service, or "catalog:write" of one.
        created: Time at which it was made.
        expires: Time from which it is refused; None for never.
        rate: Number of calls per time, such as "100/second", over all workers of a service; None
            for no limit.

    Example:
        >>> token = Token(name="search", sha256="00" * 32, scopes=("read",), created=datetime.now())
        >>> token.allows("retrieval", "read"), token.allows("retrieval", "write")
        (True, False)
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scopes: tuple[Annotated[str, AfterValidator(_scope)], ...] = Field(min_length=1)
    created: datetime
    expires: datetime | None = None
    rate: str | None = None

    @field_validator("rate")
    @classmethod
    def _check_rate(cls, value: str | None) -> str | None:
        if value is not None:
            parse(value)
        return value

    def allows(self, service: str, scope: str) -> bool:
        """Whether it has a scope for a service."""
        return scope in self.scopes or f"{service}:{scope}" in self.scopes

    def has_expired(self, now: datetime) -> bool:
        """Whether it is refused at a time."""
        return self.expires is not None and now >= self.expires

    @property
    def limit(self) -> RateLimitItem | None:
        """The rate, parsed."""
        return None if self.rate is None else parse(self.rate)


class TokenFile(Config):
    """Content of a file of tokens.

    Attributes:
        tokens: The tokens.
    """

    tokens: tuple[Token, ...] = ()


def read_tokens(path: Path) -> tuple[Token, ...]:
    """The tokens of a file.

    Raises:
        ConfigError: The file is missing or damaged.
    """
    try:
        found = TokenFile.model_validate(read_json(path, limit=_LARGEST)).tokens
    except OSError as error:
        raise ConfigError(
            f"cannot read the tokens {path}: {error.strerror}; 'recsys token create' makes the file"
        ) from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise ConfigError(f"the tokens {path}: {where}: {fault['msg']}") from error
    except ValueError as error:
        raise ConfigError(f"the tokens {path} are not JSON: {error}") from error
    names = [token.name for token in found]
    if len(set(names)) < len(names):
        raise ConfigError(f"the tokens {path} have a name twice; remove one of them")
    return found


def create_token(
    path: Path,
    name: str,
    *,
    scopes: tuple[str, ...],
    expires: datetime | None = None,
    rate: str | None = None,
) -> str:
    """Add a token to a file, which is made if there is none; returns the secret of the token.

    Raises:
        InvalidRequestError: The name is taken, or a value is not valid.
        ConfigError: The file is damaged.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    try:
        token = Token(
            name=name,
            sha256=hash_token(secret),
            scopes=scopes,
            created=datetime.now(timezone.utc).replace(microsecond=0),
            expires=expires,
            rate=rate,
        )
    except ValidationError as error:
        fault = error.errors()[0]
        field = str(fault["loc"][0])
        raise InvalidRequestError(f"{field}: {fault['msg']}", field=field) from None
    with lock(path.with_name(f".{path.name}.lock")):
        known = read_tokens(path) if path.exists() else ()
        if any(each.name == name for each in known):
            raise InvalidRequestError(
                f"there is a token {name!r}; revoke it, or choose another name", field="name"
            )
        _write(path, (*known, token))
    return secret


def revoke_token(path: Path, name: str) -> None:
    """Remove a token from a file.

    Raises:
        NotFoundError: No token has this name.
        ConfigError: The file is missing or damaged.
    """
    with lock(path.with_name(f".{path.name}.lock")):
        known = read_tokens(path)
        kept = tuple(each for each in known if each.name != name)
        if len(kept) == len(known):
            raise NotFoundError(f"no token {name!r} in {path}", field="name")
        _write(path, kept)


def hash_token(secret: str) -> str:
    """SHA-256 of a token, in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _write(path: Path, tokens: tuple[Token, ...]) -> None:
    write_json(path, TokenFile(tokens=tokens).model_dump(mode="json"))
    path.chmod(0o600)
