"""``make console``: the service and the console begin together and end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT

RECSYS = """#!/bin/sh
trap 'echo ended $1; exit 0' TERM INT
echo began $1 >&2
while :; do sleep 0.05; done
"""
SHELL = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp("sh", ["sh", *sys.argv[1:]])
"""
"""A shell that Ctrl-C ends, also where the tests run in the background of another shell."""


def test_an_interrupt_ends_the_service_and_the_console(tmp_path: Path) -> None:
    for name, text in (("recsys", RECSYS), ("python", "#!/bin/sh\nexit 0\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "runs/demo").mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", SHELL, ROOT / ".ci/console", tmp_path],
        cwd=tmp_path,
        start_new_session=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    ) as process:
        assert process.stderr is not None and process.stdout is not None
        assert process.stderr.readline() == "began console\n"
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=200)
        assert "ended console" in output
        assert process.returncode == 0
    log = (tmp_path / "runs/demo/service.log").read_text(encoding="utf-8")
    assert log.split("\n")[:2] == ["began serve", "ended serve"]
