"""Share of the exact answer that an approximate index finds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.errors import InvalidRequestError
from recsys.ids import Vectors
from recsys.index.api import Index
from recsys.index.hits import Hits


def ann_recall(index: Index, exact: Index, queries: Vectors, k: int) -> float:
    """Share of the exact top k that ``index`` finds, the mean over ``queries`` float32 ``[q, d]``.

    A row that ties with the exact answer's last score counts as found: either is right.

    Raises:
        InvalidRequestError: There are no queries, or they do not fit the indexes.

    Example:
        >>> from recsys.index.exact import ExactIndex
        >>> index = ExactIndex.of(np.eye(3, dtype=np.float32))
        >>> ann_recall(index, index, np.eye(3, dtype=np.float32), k=2)
        1.0
    """
    if not len(queries):
        raise InvalidRequestError("recall needs at least one query; none came", field="queries")
    return recall_of(index.search(queries, k), exact.search(queries, k))


def recall_of(found: Hits, truth: Hits) -> float:
    """The same for given answers."""
    return float(recalls(found, truth).mean())


def recalls(found: Hits, truth: Hits) -> npt.NDArray[np.float64]:
    """The same for each query, float64 ``[b]``; 1 where no row is eligible."""
    sizes = np.count_nonzero(truth.valid, axis=1)
    last = truth.scores[np.arange(len(truth)), np.maximum(sizes, 1) - 1]
    right = np.count_nonzero(found.valid & (found.scores >= last[:, None]), axis=1)
    return np.where(sizes > 0, np.minimum(right, sizes) / np.maximum(sizes, 1), 1.0)
