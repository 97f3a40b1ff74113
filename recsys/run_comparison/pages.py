"""The page of a comparison of runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.evaluation.rendering import render
from recsys.files import write_text
from recsys.run_comparison.plots import draw_run_plots
from recsys.run_comparison.tables import metric_lines, second_lines, setting_lines


def write_run_page(path: Path, content: Mapping[str, Any], *, command: str) -> None:
    """Write the content of :func:`recsys.run_comparison.compare_runs` as one HTML file."""
    values = {
        "content": content,
        "command": command,
        "labels": [run["label"] for run in content["runs"]],
        "metrics": metric_lines(content),
        "seconds": second_lines(content),
        "settings": setting_lines(content),
        "plots": draw_run_plots(content),
    }
    write_text(path, render("recsys.run_comparison", "runs.html.j2", values))
