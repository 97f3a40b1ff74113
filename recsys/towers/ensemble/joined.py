"""Several pairs of towers as one: their vectors side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import DataError
from recsys.files import write_json
from recsys.ids import Vectors
from recsys.towers.query import QueryBatch
from recsys.towers.towers import FACTS, FORMAT_VERSION, Towers, load_pair, read_facts

MEMBERS = "members"


@dataclass(frozen=True, eq=False)
class JoinedTowers:
    """The members' vectors side by side, each divided by the square root of their number m.

    So (q_1 .. q_m) . (v_1 .. v_m) / m, one inner product of unit vectors, is the mean of the
    members' cosines: an ensemble (Hansen & Salamon, "Neural network ensembles", TPAMI 1990) that an
    index can hold. Members that were trained from different seeds err differently.

    Attributes:
        members: Towers over the same items that read the same.

    Raises:
        DataError: There is no member, or they are not over the same items or read not the same.

    Example:
        See ``examples/train_towers.py`` for a pair; with ``TrainConfig(members=...)`` one a member
        is trained, and they are joined.
    """

    members: tuple[Towers, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise DataError("joined towers need at least one member")
        told = {(len(each.item_vectors), each.terms_dimension, each.reads) for each in self.members}
        if len(told) > 1:
            raise DataError(
                "joined towers must be over the same items and read the same; these members differ:"
                f" {sorted((items, terms, sorted(reads)) for items, terms, reads in told)}"
            )

    @cached_property
    def item_vectors(self) -> Vectors:
        """Every item's vector, float32 ``[items, sum of d]``."""
        return self._joined([each.item_vectors for each in self.members])

    @property
    def terms_dimension(self) -> int:
        """As of each member."""
        return self.members[0].terms_dimension

    @property
    def reads(self) -> frozenset[str]:
        """As of each member."""
        return self.members[0].reads

    @property
    def reads_times(self) -> bool:
        """Whether any member reads the times of a history."""
        return any(each.reads_times for each in self.members)

    @property
    def context_columns(self) -> tuple[str, ...]:
        """Names of the context columns that the members read."""
        return self.members[0].context_columns

    @property
    def sizes(self) -> dict[str, int]:
        """As of the first member."""
        return self.members[0].sizes

    def encode(self, batch: QueryBatch) -> Vectors:
        """One vector a query, as wide as those of items; see :meth:`Towers.encode`."""
        return self._joined([each.encode(batch) for each in self.members])

    def save(self, folder: Path) -> None:
        """Write each member into a folder of its own, and ``towers.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        for at, each in enumerate(self.members, start=1):
            each.save(folder / f"member-{at}")
        facts: dict[str, Any] = {"format": FORMAT_VERSION, MEMBERS: len(self.members)}
        write_json(folder / FACTS, facts)

    def _joined(self, parts: list[Vectors]) -> Vectors:
        joined: Vectors = np.concatenate(parts, axis=1)
        joined /= np.float32(np.sqrt(len(parts)))
        return joined


AnyTowers = Towers | JoinedTowers


def load_towers(folder: Path) -> AnyTowers:
    """Read what the ``save`` of either wrote.

    Raises:
        DataError: A file is missing, damaged, or does not fit the others.
    """
    facts = read_facts(folder)
    if MEMBERS not in facts:
        return load_pair(folder)
    count = facts[MEMBERS]
    if not isinstance(count, int) or not 1 <= count <= 1000:
        raise DataError(f"towers in {folder} have {count!r} members, not a number: train anew")
    members = tuple(load_pair(folder / f"member-{at}") for at in range(1, count + 1))
    return JoinedTowers(members)
