"""TLS, client certificates, a certificate that is replaced while the service runs, and exposure."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from recsys.errors import ConfigError
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceStub
from recsys_server.processes.addresses import Reservation
from recsys_server.processes.checking import check_exposure, find_faults
from recsys_server.security.tls import Tls, server_credentials
from recsys_server.settings import Settings, load_settings
from tests.server.service_world import WAIT, LineRetriever, served

NOW = datetime.datetime.now(datetime.timezone.utc)


@dataclass(frozen=True)
class Issued:
    """Files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """An authority that issues certificates into a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._certificate(self._name, self._key, is_authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._certificate(subject, key, is_authority=False)
        issued = Issued(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        issued.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        issued.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return issued

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool
    ) -> x509.Certificate:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - datetime.timedelta(days=1))
            .not_valid_after(NOW + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(names, critical=False)
            .sign(self._key, hashes.SHA256())
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def call(address: str, roots: Path, client: Issued | None = None) -> grpc.StatusCode:
    pair = (None, None) if client is None else (_read(client.key), _read(client.certificate))
    credentials = grpc.ssl_channel_credentials(_read(roots), *pair)
    with grpc.secure_channel(address, credentials) as channel:
        request = pb.RetrieveRequest(query=pb.Query(user_id="ann"), k=1)
        try:
            RetrievalServiceStub(channel).Retrieve(request, timeout=WAIT)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def _read(path: Path) -> bytes:
    return path.read_bytes()


def test_calls_are_encrypted_and_the_certificate_is_checked(
    authority: Authority, tmp_path: Path
) -> None:
    own, other = authority.issue("server"), Authority(tmp_path, "other")
    with served(LineRetriever(), tls=Tls(certificate=own.certificate, key=own.key)) as server:
        assert call(server.address, authority.file) is grpc.StatusCode.OK
        assert call(server.address, other.file) is grpc.StatusCode.UNAVAILABLE


def test_a_client_needs_a_certificate_of_the_authority(
    authority: Authority, tmp_path: Path
) -> None:
    own, other = authority.issue("server"), Authority(tmp_path, "other")
    tls = Tls(certificate=own.certificate, key=own.key, client_ca=authority.file)
    with served(LineRetriever(), tls=tls) as server:
        assert call(server.address, authority.file, authority.issue("c")) is grpc.StatusCode.OK
        for client in (None, other.issue("d")):
            assert call(server.address, authority.file, client) is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_is_replaced_without_a_restart(authority: Authority, tmp_path: Path) -> None:
    own, other = authority.issue("server"), Authority(tmp_path, "other")
    with served(LineRetriever(), tls=Tls(certificate=own.certificate, key=own.key)) as server:
        assert call(server.address, authority.file) is grpc.StatusCode.OK
        own.key.write_text("in the middle of a renewal")
        assert call(server.address, authority.file) is grpc.StatusCode.OK
        other.issue("server")
        assert call(server.address, other.file) is grpc.StatusCode.OK
        assert call(server.address, authority.file) is grpc.StatusCode.UNAVAILABLE


def test_files_that_are_no_certificates_are_errors(authority: Authority, tmp_path: Path) -> None:
    own = authority.issue("server")
    (tmp_path / "text").write_text("text")
    for key in (tmp_path / "text", tmp_path / "missing"):
        with pytest.raises(ConfigError):
            server_credentials(Tls(certificate=own.certificate, key=key))
    with pytest.raises(ConfigError, match="a certificate needs a key"):
        _settings(tls={"certificate": own.certificate})
    # A key of another certificate is found before the service starts.
    wrong = _settings(tls={"certificate": own.certificate, "key": authority.issue("x").key})
    assert any("cannot be used with its key" in each.message for each in find_faults(wrong))


def test_listening_beyond_this_machine_needs_tls_and_an_identity(authority: Authority) -> None:
    own = authority.issue("server")
    tls = {"certificate": own.certificate, "key": own.key}
    for settings in (
        _settings(),
        _settings(tls=tls),
        _settings(tokens=own.certificate),
    ):
        with Reservation.of_host("0.0.0.0", 0) as reservation:
            with pytest.raises(ConfigError, match="--insecure allows it"):
                check_exposure(settings, reservation)
            check_exposure(settings.model_copy(update={"insecure": True}), reservation)
        with Reservation.of_host("127.0.0.1", 0) as reservation:
            check_exposure(settings, reservation)
    for guarded in (
        _settings(tls=tls, tokens=own.certificate),
        _settings(tls={**tls, "client_ca": authority.file}),
    ):
        with Reservation.of_host("0.0.0.0", 0) as reservation:
            check_exposure(guarded, reservation)


def _settings(**values: object) -> Settings:
    return load_settings({"bundles": Path("none"), **values})
