"""TLS of the server: a certificate that can be replaced while it runs, and client certificates."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from pydantic import model_validator
from typing_extensions import Self

from recsys.config import Config
from recsys.errors import ConfigError

_PEM = b"-----BEGIN "
_log = logging.getLogger(__name__)


class Tls(Config):
    """TLS of a service.

    Attributes:
        certificate: PEM file of the certificate and of those that issued it.
        key: PEM file of its private key.
        client_ca: PEM file of the authorities whose client certificates are required; none by
            default.
    """

    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a certificate needs a key, and a key a certificate")
        if self.client_ca is not None and self.certificate is None:
            raise ValueError("client_ca needs a certificate and a key")
        return self

    @property
    def is_on(self) -> bool:
        """Whether calls are encrypted."""
        return self.certificate is not None


def server_credentials(tls: Tls) -> Any:
    """Credentials of gRPC, whose files are read again when they change.

    Files that cannot be read later, as in the middle of a renewal, change nothing.

    Raises:
        ConfigError: A file cannot be read, or is no PEM file.
    """
    import grpc  # the supervisor checks settings without it

    seen = [_state(tls)]

    def renewed() -> Any:
        """Called by gRPC for each connection; None keeps the certificate."""
        if (state := _state(tls)) == seen[0]:
            return None
        try:
            configuration = _configuration(tls)
        except ConfigError as error:
            _log.error("the certificate stays as it was: %s", error.message)
            return None
        seen[0] = state
        _log.info("read the certificate again")
        return configuration

    return grpc.dynamic_ssl_server_credentials(
        _configuration(tls), renewed, require_client_authentication=tls.client_ca is not None
    )


def _configuration(tls: Tls) -> Any:
    import grpc

    assert tls.certificate is not None and tls.key is not None
    roots = None if tls.client_ca is None else _read(tls.client_ca)
    return grpc.ssl_server_certificate_configuration(
        [(_read(tls.key), _read(tls.certificate))], root_certificates=roots
    )


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", field="tls") from error
    if _PEM not in content:
        raise ConfigError(f"{path} is no PEM file", field="tls")
    return content


def _state(tls: Tls) -> tuple[object, ...]:
    found: list[object] = []
    for path in (tls.certificate, tls.key, tls.client_ca):
        try:
            status = None if path is None else path.stat()
        except OSError:
            status = None
        found.append(status and (status.st_mtime_ns, status.st_ino, status.st_size))
    return tuple(found)
