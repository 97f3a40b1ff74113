"""Digests of held-out queries, which show whether two evaluations used the same queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.files import load_arrays, save_arrays
from recsys.ids import IdMap, Mask
from recsys.splits.held_out import HeldOutQueries, Offsets

Digests = npt.NDArray[np.uint64]
_QUERIES_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class QueryDigests:
    """Digests of q queries and their c candidates, which depend on ids and never on rows.

    Attributes:
        targets: Digest of each query's user and set of targets, uint64 ``[q]``.
        histories: Digest of each query's history and its order, uint64 ``[q]``.
        candidates: Digest of each item that may be a candidate, uint64 ``[c]``.

    Example:
        >>> queries = HeldOutQueries.of(user=[0], histories=[[1, 2]], targets=[[0]])
        >>> users, items = IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug", "mug"])
        >>> made = QueryDigests.from_queries(queries, users=users, items=items,
        ...     candidates=np.array([True, True, False]))
        >>> len(made.targets), len(made.histories), len(made.candidates)
        (1, 1, 2)
    """

    targets: Digests
    histories: Digests
    candidates: Digests

    @classmethod
    def from_queries(
        cls, queries: HeldOutQueries, *, users: IdMap, items: IdMap, candidates: Mask
    ) -> QueryDigests:
        """Digests of ``queries``; ``candidates`` is bool ``[items]``."""
        item_digests = _id_digests(items.index)
        user_digests = _id_digests(users.index)[queries.user]
        of_targets = _sums(_mixed(item_digests[queries.target_rows]), queries.target_offsets)
        histories = [np.zeros(0, np.uint64)]
        for low in range(0, len(queries), _QUERIES_AT_ONCE):
            part = queries.slice(low, low + _QUERIES_AT_ONCE)
            offsets, rows = part.history_offsets, part.history_rows
            position = np.arange(len(rows)) - np.repeat(offsets[:-1], part.history_lengths)
            ordered = _mixed(item_digests[rows] ^ _mixed(position.astype(np.uint64)))
            histories.append(_sums(ordered, offsets))
        return cls(
            targets=_mixed(user_digests ^ _mixed(of_targets)),
            histories=np.concatenate(histories),
            candidates=item_digests[candidates],
        )

    @classmethod
    def load(cls, path: Path) -> QueryDigests:
        """Digests that :meth:`save` wrote.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is damaged.
        """
        arrays: dict[str, Any] = load_arrays(path)
        try:
            return cls(**arrays)
        except TypeError as error:
            raise ValueError(f"{path} holds no digests of queries: {error}") from error

    def save(self, path: Path) -> None:
        """Write an ``.npz`` file atomically."""
        save_arrays(path, asdict(self))


def _id_digests(ids: Iterable[str]) -> Digests:
    whole = b"".join(blake2b(each.encode(), digest_size=8).digest() for each in ids)
    return np.frombuffer(whole, np.dtype("<u8")).astype(np.uint64)


def _sums(values: Digests, offsets: Offsets) -> Digests:
    """Sum of each range of ``values``, modulo 2^64."""
    total = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values, out=total[1:])
    return total[offsets[1:]] - total[offsets[:-1]]


def _mixed(values: Digests) -> Digests:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), a bijection of uint64."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
