"""The peers' own environment: made once from ``requirements.txt``, anew when that changes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
STAMP = ".requirements"


def peers_python(folder: Path) -> Path:
    """The interpreter of the environment in ``folder``.

    Raises:
        subprocess.CalledProcessError: pip could not install; what it said is on stderr.
    """
    python, stamp = folder / "bin" / "python", folder / STAMP
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted and python.exists():
        return python
    print(f"Making the peers' environment in {folder} (PyTorch among them)", file=sys.stderr)
    _run(sys.executable, "-m", "venv", "--clear", str(folder))
    options = ("--disable-pip-version-check", "--progress-bar", "off", "--quiet")
    _run(str(python), "-m", "pip", "install", *options, "-r", str(REQUIREMENTS))
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)
