"""The best configuration of a study, as a file that ``recsys run`` takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.config import parse_config
from recsys.files import write_toml
from recsys.pipeline import RunConfig
from recsys.pipeline.sections import rebase_paths
from recsys.tuning.space import label

BEST = "best.toml"


def write_best(
    folder: Path,
    values: Mapping[str, Any],
    *,
    name: str,
    base: Path,
    told: str,
    chosen: Mapping[str, Any],
) -> None:
    """Write ``best.toml``.

    Args:
        folder: Where to.
        values: The run's values, with paths relative to ``base``.
        name: Of the run.
        base: The folder that its paths start from.
        told: Where it comes from, a line or more.
        chosen: What the study chose, by key.

    Raises:
        ConfigError: The values do not fit.
    """
    own = {"name": name, **{key: part for key, part in values.items() if key != "name"}}
    written = rebase_paths(own, old=base.resolve(), new=folder.resolve())
    parse_config(written, RunConfig)
    lines = [
        *told.splitlines(),
        *(f"  {key} = {label(value)}".replace("\n", " ") for key, value in chosen.items()),
    ]
    write_toml(folder / BEST, written, comment="\n".join(lines))
