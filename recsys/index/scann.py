"""ScaNN behind the index interface: it proposes rows, exact scores decide.

ScaNN pads a short result with row 0 and NaN, a filter can leave fewer than k of the fetched rows,
its map of ids is a pickle and its saved paths are absolute. So ids never reach it, padding is
dropped, and a short answer is fetched again, wider.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import ConfigError, DataError
from recsys.ids import Rows, Vectors
from recsys.index.api import Index
from recsys.index.arguments import SearchArguments
from recsys.index.configs import ScannConfig
from recsys.index.description import FILE, Description
from recsys.index.exact import ExactIndex
from recsys.index.hits import Hits
from recsys.index.rows import RowSet
from recsys.index.scoring import rank, rounding_slack
from recsys.index.tuning import Setting, TuningResult, tune

ASSETS = "scann"
_ASSETS_FILE = "scann_assets.pbtxt"
_ASSET_PATH = re.compile(r'asset_path: *"([^"]*)"')
_FEW_ALLOWED = 4_096
"""Up to this number of allowed rows, comparing them all is faster than skipping the others."""
_EXACT_SHARE = 4
"""Fetching more than a quarter of all rows costs more than comparing all of them."""
_WIDER = 4


@dataclass(frozen=True, eq=False)
class ScannIndex(Index):
    """Approximate search by ScaNN; never short, exact in its scores and its exclusions.

    Build it with ``recsys.index.build_index``.

    Example:
        >>> from recsys.index import ScannConfig, build_index
        >>> index = build_index(np.eye(3, dtype=np.float32), ScannConfig())
        >>> index.search(np.eye(3, dtype=np.float32)[1:2], k=1).rows.tolist()
        [[1]]
    """

    config: ScannConfig
    searcher: Any
    num_leaves: int
    setting: Setting
    tuned: TuningResult | None = None

    @property
    def facts(self) -> Mapping[str, Any]:
        """Numbers of leaves, leaves searched and rows reordered; the recall where it was tuned."""
        tuned = None if self.tuned is None else dataclasses.asdict(self.tuned)
        return {"num_leaves": self.num_leaves, **dataclasses.asdict(self.setting), "tuned": tuned}

    def _search(self, hits: Hits, arguments: SearchArguments) -> None:
        alive = arguments.alive
        if alive is not None and alive.count:
            mask = ~alive.hidden if arguments.allowed is None else arguments.allowed.mask
            arguments = dataclasses.replace(
                arguments, allowed=RowSet.of_mask(mask & ~alive.hidden), alive=None
            )
        queries, k, allowed = arguments.queries, arguments.k, arguments.allowed
        eligible = len(self) if allowed is None else len(allowed)
        few = allowed is not None and eligible <= _FEW_ALLOWED
        # The number of rows fetched for a query may depend on nothing else in its batch.
        waiting: dict[tuple[int, int], list[int]] = {}
        for position, excluded in enumerate(arguments.excluded.counts.tolist()):
            wanted = (k + excluded + 1) * len(self) / max(eligible, 1)
            fetch = len(self) if few else 1 << math.ceil(math.log2(wanted))  # a power of two
            waiting.setdefault((fetch, self.setting.leaves_to_search), []).append(position)
        while waiting:
            (fetch, leaves), positions = waiting.popitem()
            if fetch * _EXACT_SHARE > len(self):
                answer = Hits.empty(queries=len(positions), k=k)
                self.exact._search(answer, arguments.take(np.array(positions)))
                for line, position in enumerate(positions):
                    hits.put(position, *answer.at(line))
                hits.work.put(positions, "exact", eligible=eligible, depth=eligible, read=eligible)
                continue
            proposals = self._fetch(queries[positions], fetch, leaves)
            for position, (rows, floor) in zip(positions, proposals):
                full, found = len(rows) == fetch, len(rows)
                rows = _without(rows, arguments.excluded.at(position), allowed)
                best, scores = rank(self.vectors, rows, queries[position], k)
                slack = rounding_slack(queries[position], self._longest)
                if len(best) == k and (not full or scores[-1] > floor + slack):
                    hits.put(position, best, scores)
                    depth, read = found, len(self) * leaves // max(self.num_leaves, 1)
                    hits.work.put(
                        position,
                        "scann",
                        eligible=eligible,
                        leaves=leaves,
                        depth=depth,
                        read=read,
                    )
                    continue
                # Short, or a row that was not fetched may tie with the last: fetch more.
                wider = (fetch * _WIDER, leaves if full else min(leaves * _WIDER, self.num_leaves))
                waiting.setdefault(wider, []).append(position)

    def save(self, folder: Path) -> None:
        """Write ``index.json`` and ScaNN's own files, with paths relative to them."""
        assets = folder / ASSETS
        assets.mkdir(parents=True, exist_ok=True)
        self.searcher.serialize(str(assets), relative_path=True)
        super().save(folder)

    def _fetch(self, queries: Vectors, fetch: int, leaves: int) -> list[tuple[Rows, float]]:
        """Per query at most ``fetch`` rows, and an upper bound on the scores of all others."""
        arguments: dict[str, int] = {"final_num_neighbors": fetch}
        if self.num_leaves:
            arguments["leaves_to_search"] = leaves
            arguments["pre_reorder_num_neighbors"] = max(fetch, self.setting.reorder)
        rows, scores = self.searcher.search_batched(queries, **arguments)
        answers = []
        for line, values in zip(rows, scores):
            real = ~np.isnan(values)  # ScaNN pads a short result with row 0 and NaN.
            found = line[real].astype(np.int32)
            answers.append((found, float(values[real][-1]) if len(found) else -math.inf))
        return answers

    @cached_property
    def exact(self) -> ExactIndex:
        """Exact search of the same rows."""
        return ExactIndex(self.vectors)


def build_scann(vectors: Vectors, config: ScannConfig, queries: Vectors | None) -> ScannIndex:
    """Partition, quantise and tune; ``vectors`` must be valid."""
    items = len(vectors)
    builder = _pybind().builder(vectors, config.recall_at, "dot_product")
    if items < config.brute_force_below:
        searcher = builder.score_brute_force().build()
        return ScannIndex(vectors, config, searcher, 0, Setting(0, 0))
    num_leaves = math.isqrt(items) if config.num_leaves == "auto" else config.num_leaves
    if num_leaves > items:
        raise ConfigError(
            f"num_leaves must not be above the number of vectors, {items}; got {num_leaves}",
            field="num_leaves",
        )
    if config.dimensions_per_block > vectors.shape[1]:
        raise ConfigError(
            f"dimensions_per_block must not be above the dimension, {vectors.shape[1]}; "
            f"got {config.dimensions_per_block}",
            field="dimensions_per_block",
        )
    searcher = (
        builder.tree(num_leaves, num_leaves, training_sample_size=items, min_partition_size=1)
        .score_ah(
            config.dimensions_per_block,
            anisotropic_quantization_threshold=config.anisotropic_threshold,
        )
        .reorder(items)
        .set_n_training_threads(1)  # With more, sums are taken in the order that threads finish.
        .build()
    )
    index = ScannIndex(vectors, config, searcher, num_leaves, Setting(num_leaves, items))

    def search(setting: Setting, queries: Vectors, k: int) -> Hits:
        return dataclasses.replace(index, setting=setting).search(queries, k)

    setting, tuned = tune(search, vectors, num_leaves, config, queries)
    return dataclasses.replace(index, setting=setting, tuned=tuned)


def load_scann(folder: Path, vectors: Vectors, description: Description) -> ScannIndex:
    """Load an index that :meth:`ScannIndex.save` wrote; never opens a pickle."""
    config, facts, assets = description.config, description.facts, folder / ASSETS
    assert isinstance(config, ScannConfig)
    pickles = sorted(path.name for path in assets.glob("*.pkl"))
    if pickles:
        raise DataError(f"{assets} holds a pickle, {pickles[0]}, which is never opened; remove it")
    try:
        num_leaves = int(facts["num_leaves"])
        setting = Setting(int(facts["leaves_to_search"]), int(facts["reorder"]))
        tuned = None if facts["tuned"] is None else TuningResult(**facts["tuned"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{folder / FILE}: 'facts' is damaged: {error!r}") from error
    pybind = _pybind()
    try:
        text = (assets / _ASSETS_FILE).read_text(encoding="utf-8")
        for name in _ASSET_PATH.findall(text):
            if Path(name).name != name or not (assets / name).is_file():
                raise DataError(f"{assets} names a file {name!r} that is not in it; build it again")
        # Not its load_searcher: that opens a pickle where it finds one.
        searcher = pybind.ScannSearcher(pybind.scann_pybind.ScannNumpy(str(assets), text))
    except (OSError, UnicodeDecodeError, RuntimeError, ValueError) as error:
        raise DataError(f"{assets} cannot be loaded: {error}; build the index again") from error
    if searcher.size() != len(vectors):
        raise DataError(f"{assets} holds {searcher.size()} vectors; expected {len(vectors)}")
    return ScannIndex(vectors, config, searcher, num_leaves, setting, tuned)


def _pybind() -> Any:
    # ScaNN imports TensorFlow, which recsys._tf must configure first.
    importlib.import_module("recsys._tf")
    return importlib.import_module("scann.scann_ops.py.scann_ops_pybind")


def _without(rows: Rows, excluded: Rows, allowed: RowSet | None) -> Rows:
    keep = np.ones(len(rows), np.bool_) if allowed is None else allowed.mask[rows]
    if len(excluded):  # unique and ascending
        positions = np.minimum(np.searchsorted(excluded, rows), len(excluded) - 1)
        keep &= excluded[positions] != rows
    return rows[keep]
