"""Answer one request: ``python -m benchmarks.quality.peer_models REQUEST.json``.

Run by the benchmark with the peers' own interpreter.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from benchmarks.quality.peer_models.running import answer


def main() -> None:
    """Load only the model asked for, so that no other is in its memory."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    model = importlib.import_module(f"benchmarks.quality.peer_models.{request['model']}")
    answer(request, model.learn)


if __name__ == "__main__":
    main()
