"""Hard negatives: what the towers, as they are, rank highest though it was not taken.

Towers know no index, so the caller brings one: a :data:`BuildSearch`, from item vectors to a
search of them. Each epoch it is built anew over the item tower's vectors of the warm items, and
before each step it is asked for some of the step's queries, with the query tower as it is then
(ANCE, Xiong et al., ICLR 2021, whose index lags behind in the same way).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from recsys._tf import compiled, tf
from recsys.ids import Mask, Rows, Vectors
from recsys.towers.losses.configs import HardNegatives


class Search(Protocol):
    """The rows nearest to each query."""

    def __call__(self, queries: Vectors, k: int, *, exclude: Sequence[Rows]) -> Sequence[Rows]:
        """Up to k rows a query ``[b, d]``, best first, without those in its ``exclude``."""


BuildSearch = Callable[[Vectors], Search]
"""From unit vectors float32 ``[n, d]`` to a search over their rows 0 .. n - 1."""


class Miner:
    """Looks for hard negatives of each batch.

    Args:
        config: How many, from when on, how often the index is renewed.
        build: Makes the index.
        model: The towers in training; read, never changed.
        warm: Which items were met in training, bool ``[items]``.
        batch: Any batch; all have its names and kinds.
    """

    def __init__(
        self,
        config: HardNegatives,
        build: BuildSearch,
        model: Any,
        warm: Mask,
        batch: Mapping[str, Any],
    ) -> None:
        self._config, self._build, self._warm = config, build, np.flatnonzero(warm)
        self._vectors: Callable[[], Vectors] = model.item_vectors
        shapes = {name: tf.TensorSpec([None] * t.ndim, t.dtype) for name, t in batch.items()}
        self._queries = compiled(model.queries, input_signature=[shapes])
        self._search: Search | None = None

    def begin(self, epoch: int) -> None:
        """Renew the index, if it is time; epochs count from 1.

        The first ``after`` epochs have none. A resumed run has one of its own first epoch.
        """
        since = epoch - self._config.after - 1
        if since < 0:
            return
        if self._search is None or since % self._config.every == 0:
            self._search = self._build(self._vectors()[self._warm])

    def rows(self, batch: Mapping[str, Any]) -> Rows:
        """Different warm rows, int32: what some of the batch's queries rank best but their targets.

        Which queries: as many as ``queries``, evenly spread over the batch. Of each one's best,
        the first ``skip`` are passed over and ``each`` taken.
        """
        if self._search is None:
            return np.zeros(0, np.int32)
        queries = self._queries(batch).numpy()
        targets = batch["item"].numpy()[batch["weight"].numpy() > 0]
        asked = min(self._config.queries, len(queries))
        chosen = np.linspace(0, len(queries) - 1, asked).round().astype(np.intp)
        own = np.searchsorted(self._warm, targets[chosen]).astype(np.int32)
        skip = self._config.skip
        best = self._search(queries[chosen], skip + self._config.each, exclude=list(own[:, None]))
        found = np.unique(np.concatenate([places[skip:] for places in best]))
        rows: Rows = self._warm[found].astype(np.int32)
        return rows
