"""Answer one request with the peers' own interpreter; see :mod:`benchmarks.processes`."""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks.processes import answer_request
from benchmarks.quality.peer_models.answering import answer


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Import only the requested model, so that no other is in its memory."""
    model = importlib.import_module(f"benchmarks.quality.peer_models.{request['model']}")
    return answer(request, model.train)


if __name__ == "__main__":
    answer_request(main)
