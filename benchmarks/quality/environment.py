"""Environment of the peers, made from ``requirements.txt`` and again after changes of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from recsys.files import sha256_file, write_text

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
STAMP = ".requirements"


def peers_python(folder: Path) -> Path:
    """The interpreter of the environment in ``folder``.

    Raises:
        subprocess.CalledProcessError: pip failed; its output is on stderr.
    """
    python, stamp = folder / "bin" / "python", folder / STAMP
    wanted = sha256_file(REQUIREMENTS)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted and python.exists():
        return python
    print(f"Making the peers' environment in {folder} (with PyTorch)", file=sys.stderr)
    _run(sys.executable, "-m", "venv", "--clear", str(folder))
    options = ("--disable-pip-version-check", "--progress-bar", "off", "--quiet")
    _run(str(python), "-m", "pip", "install", *options, "-r", str(REQUIREMENTS))
    write_text(stamp, wanted)
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)
