"""Bearer tokens: none, unknown, expired, of another scope, revoked, and above their rate."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from limits import parse
from typer.testing import CliRunner

from recsys.cli.app import app
from recsys.errors import ConfigError, InvalidRequestError, NotFoundError
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceStub
from recsys_server.security import access as access_module
from recsys_server.security.access import Access, required_scope
from recsys_server.security.rates import SLOTS, SharedRates, shared_file
from recsys_server.security.tokens import create_token, read_tokens, revoke_token
from tests.server.service_world import WAIT, LineRetriever, served, until

REQUEST = pb.RetrieveRequest(query=pb.Query(user_id="ann"), k=1)
Code = grpc.StatusCode


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


@pytest.fixture
def reader(file: Path) -> str:
    return create_token(file, "reader", scopes=("read",))


@pytest.fixture
def address(file: Path, reader: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(access_module, "RELOAD_SECONDS", 0.0)
    with served(LineRetriever(), access=Access(file)) as server:
        yield server.address


def call(address: str, token: str | None, scheme: str = "Bearer") -> grpc.StatusCode:
    metadata = () if token is None else (("authorization", f"{scheme} {token}"),)
    with grpc.insecure_channel(address) as channel:
        try:
            RetrievalServiceStub(channel).Retrieve(REQUEST, timeout=WAIT, metadata=metadata)
        except grpc.RpcError as error:
            return error.code()
    return Code.OK


def test_a_call_needs_a_token_of_its_scope(address: str, file: Path, reader: str) -> None:
    writer = create_token(file, "writer", scopes=("write", "retrieval:admin"))
    one = create_token(file, "one", scopes=("retrieval:read",))
    assert call(address, reader) is call(address, one) is call(address, one, "bearer") is Code.OK
    assert call(address, writer) is Code.PERMISSION_DENIED
    for wrong in (None, "", "x", reader[:-1], reader + "x"):
        assert call(address, wrong) is Code.UNAUTHENTICATED
    assert call(address, reader, "Basic") is Code.UNAUTHENTICATED


def test_a_token_is_refused_once_it_has_expired_or_is_revoked(
    address: str, file: Path, reader: str
) -> None:
    soon = datetime.now(timezone.utc) + timedelta(hours=1)
    late = datetime.now(timezone.utc) - timedelta(seconds=1)
    assert call(address, create_token(file, "a", scopes=("read",), expires=soon)) is Code.OK
    expired = create_token(file, "b", scopes=("read",), expires=late)
    assert call(address, expired) is Code.UNAUTHENTICATED
    revoke_token(file, "reader")
    assert call(address, reader) is Code.UNAUTHENTICATED


def test_a_damaged_file_keeps_the_tokens_that_were_read(
    address: str, file: Path, reader: str
) -> None:
    file.write_text("{")
    assert call(address, reader) is Code.OK
    file.unlink()
    assert call(address, reader) is Code.OK


def test_a_rate_is_per_token(
    address: str, file: Path, reader: str, caplog: pytest.LogCaptureFixture
) -> None:
    slow = create_token(file, "slow", scopes=("read",), rate="2/hour")
    assert [call(address, slow) for _ in range(3)] == [Code.OK, Code.OK, Code.RESOURCE_EXHAUSTED]
    until(lambda: "caller=slow" in caplog.text)
    assert call(address, reader) is Code.OK


def test_a_rate_holds_for_all_processes_of_a_service() -> None:
    descriptor, now = shared_file(), [1_000.0]
    one, other = (SharedRates(descriptor, clock=lambda: now[0]) for _ in range(2))
    os.close(descriptor)
    rate = parse("4/10 seconds")
    assert [each.take("a", rate) for each in (one, other, one, other, one, other)] == [
        *[None] * 4,
        *[10.0] * 2,
    ]
    assert other.take("b", rate) is None and other.take("a", parse("9/second")) is None
    now[0] = 1_012.0  # four calls of the last window count for 80%
    assert one.take("a", rate) is None and other.take("a", rate) == pytest.approx(0.5)
    now[0] = 1_040.0
    assert [other.take("a", rate) for _ in range(5)][3:] == [None, 10.0]


def test_rates_of_very_many_tokens_replace_the_oldest() -> None:
    now = [0.0]
    rates, rate = SharedRates(clock=lambda: now[0]), parse("1/second")
    for number in range(2 * SLOTS):
        now[0] = float(number)
        assert rates.take(f"t{number}", rate) is None
    assert rates.take(f"t{2 * SLOTS - 1}", rate) == 1.0


def test_probes_need_no_token_and_reflection_needs_one(address: str, reader: str) -> None:
    with grpc.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=WAIT).status == 1
        with pytest.raises(grpc.RpcError) as caught:
            ProtoReflectionDescriptorDatabase(channel).get_services()
        assert caught.value.code() is Code.UNAUTHENTICATED


def test_a_method_that_is_not_listed_needs_admin() -> None:
    assert required_scope("/recsys.v1.BundleService/ActivateBundle") == ("bundle", "admin")
    assert required_scope("/recsys.v1.InteractionService/GetHistory") == ("interaction", "read")
    for method, scope in {
        "GetItemActivity": "read",
        "ListItemUsers": "admin",
        "ListRecentUsers": "admin",
    }.items():
        assert required_scope(f"/recsys.v1.InteractionService/{method}") == ("interaction", scope)
    assert required_scope("/grpc.channelz.v1.Channelz/GetServers") == ("channelz", "admin")
    assert required_scope("/x.Y/New")[1] == "admin"  # type: ignore[index]


def test_the_file_holds_no_token(file: Path, reader: str) -> None:
    assert reader not in file.read_text() and file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text())["tokens"][0]["scopes"] == ["read"]


@pytest.mark.parametrize(
    "content",
    ["[]", '{"tokens": [{"name": "a"}]}', '{"tokens": 1}', "\x00", '{"other": []}'],
)
def test_a_file_that_holds_no_tokens_is_an_error(file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(ConfigError, match="the tokens"):
        read_tokens(file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "reader"}, "there is a token 'reader'"),
        ({"name": "a b"}, "name: String should match"),
        ({"scopes": ("all",)}, "must be one of read, write, admin"),
        ({"scopes": ()}, "scopes: Tuple should have at least 1"),
        ({"rate": "fast"}, "rate: "),
    ],
)
def test_a_token_with_a_wrong_value_is_refused(
    file: Path, reader: str, options: dict[str, object], message: str
) -> None:
    values = {"name": "b", "scopes": ("read",), **options}
    with pytest.raises(InvalidRequestError, match=message):
        create_token(file, **values)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError, match="no token 'b'"):
        revoke_token(file, "b")


def test_the_command_creates_lists_and_revokes(file: Path) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["token", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    made = run("create", str(file), "--name", "etl", "--scope", "write", "--scope", "catalog:read")
    run(
        "create",
        str(file),
        "--name",
        "web",
        "--scope",
        "read",
        "--days",
        "30",
        "--rate",
        "5/second",
    )
    assert Access(file).check((("authorization", f"Bearer {made}"),), "catalog", "write") == "etl"
    first, second = run("list", str(file)).splitlines()
    assert first == "etl  write,catalog:read  never expires  no limit"
    assert second.startswith("web  read  expires ") and second.endswith("5/second")
    assert run("revoke", str(file), "--name", "etl") == "revoked etl"
    assert run("list", str(file)).startswith("web")
