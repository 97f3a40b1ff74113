"""How much memory a measured process took."""

from __future__ import annotations

from pathlib import Path


def peak_mb() -> float:
    """Most memory that this process held, in 2^20 bytes.

    From its own status; ``ru_maxrss`` would count the process that forked it.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
