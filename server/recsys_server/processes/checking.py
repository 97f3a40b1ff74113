"""Checks of settings before a service starts."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator

from recsys.errors import ConfigError, RecsysError
from recsys_server.processes.addresses import Reservation
from recsys_server.settings import Settings


def check_exposure(settings: Settings, reservation: Reservation) -> None:
    """Refuse to listen beyond this machine without TLS, or for callers without an identity.

    Raises:
        ConfigError: Such a service was not allowed with ``insecure``.
    """
    is_guarded = settings.tls.is_on and (settings.tokens or settings.tls.client_ca)
    if settings.insecure or is_guarded or all(map(_is_loopback, reservation.addresses)):
        return
    raise ConfigError(
        f"listening on {reservation.address}, beyond this machine, needs a certificate and a file"
        " of tokens (or client certificates); --insecure allows it without them",
        field="insecure",
    )


def find_faults(settings: Settings) -> Iterator[RecsysError]:
    """Reasons why a service with these settings cannot start, all of them."""
    for check in (_check_bundle, _check_port, _check_tokens, _check_tls, _check_store):
        try:
            check(settings)
        except RecsysError as error:
            yield error


def _check_bundle(settings: Settings) -> None:
    from recsys.bundle import verify

    verify(settings.bundles, settings.version)


def _check_port(settings: Settings) -> None:
    with Reservation.of_host(settings.host, settings.port) as reservation:
        check_exposure(settings, reservation)


def _check_tokens(settings: Settings) -> None:
    from recsys_server.security.tokens import read_tokens

    if settings.tokens is not None:
        read_tokens(settings.tokens)


def _check_tls(settings: Settings) -> None:
    tls = settings.tls
    if tls.certificate is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.certificate, tls.key)
        if tls.client_ca is not None:
            context.load_verify_locations(tls.client_ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"the certificate {tls.certificate} cannot be used with its key: {error}", field="tls"
        ) from error


def _check_store(settings: Settings) -> None:
    from recsys.store import open_store

    if settings.store is not None:
        open_store(settings.store).close()


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.rpartition(":")[0].strip("[]")).is_loopback
