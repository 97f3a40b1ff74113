"""``recsys console``: what it refuses, and that it listens where it says."""

from __future__ import annotations

import signal
import threading
import urllib.request
from pathlib import Path

import pytest
import uvicorn
from typer.testing import CliRunner

from recsys.cli.app import app
from recsys.errors import ConfigError
from recsys_console.serving import Listening, serve
from recsys_console.settings import Settings
from tests.server.service_world import WAIT


def test_browsers_on_other_machines_need_https_or_a_proxy(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["console", "--host", "0.0.0.0"])
    assert isinstance(done.exception, ConfigError) and "--insecure" in done.exception.message
    with pytest.raises(ConfigError, match="both or neither"):
        Listening("127.0.0.1", 0, certificate=tmp_path / "a.pem").check(insecure=True)
    Listening("0.0.0.0", 0).check(insecure=True)
    Listening("0.0.0.0", 0, tmp_path / "a.pem", tmp_path / "a.key").check(insecure=False)
    Listening("::1", 0).check(insecure=False)


def test_it_prints_its_address_and_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    answers: list[int] = []
    servers: list[uvicorn.Server] = []
    run = uvicorn.Server.run

    def noted(server: uvicorn.Server, sockets: object = None) -> None:
        servers.append(server)
        thread = threading.Thread(target=read)
        thread.start()
        run(server, sockets)  # type: ignore[arg-type]
        thread.join(WAIT)

    def read() -> None:
        address = lines[0].removeprefix("console on ")
        with urllib.request.urlopen(f"{address}/sign-in", timeout=WAIT) as page:
            answers.append(page.status)
        servers[0].should_exit = True

    monkeypatch.setattr(uvicorn.Server, "run", noted)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    serve(Settings("127.0.0.1:1"), Listening("127.0.0.1", 0), ready=lines.append)
    assert answers == [200] and lines[0].startswith("console on http://127.0.0.1:")
