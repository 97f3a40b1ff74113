"""The description of a retriever: its spaces, columns and context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recsys.ids import IdMap
from recsys.retrieval.parsing import EVERYWHERE
from recsys.retrieval.sources import ItemColumns
from recsys.retrieval.space import Space
from recsys_client.filters import Exists
from recsys_client.filters.text_form import value_text
from recsys_client.records.descriptions import ColumnSummary, ContextSummary, SpaceSummary

_EXAMPLES = 5


def describe_spaces(
    spaces: Mapping[str, Space], inputs: Mapping[str, frozenset[str]]
) -> tuple[SpaceSummary, ...]:
    """Each space with the parts of a query that it reads; ``inputs`` are the optional ones."""
    return tuple(
        SpaceSummary(
            name,
            space.dimension,
            int(np.count_nonzero(np.asarray(space.mask))),
            (*EVERYWHERE, *sorted(inputs[name])),
        )
        for name, space in sorted(spaces.items())
    )


def describe_columns(columns: ItemColumns) -> tuple[ColumnSummary, ...]:
    """Each column for filters and crowding, with examples of its values."""
    return tuple(
        ColumnSummary(
            each.name,
            each.type,
            len(columns.rows(Exists(each.name))),
            tuple(map(value_text, each.examples[:_EXAMPLES])),
        )
        for each in sorted(columns.describe(), key=lambda each: each.name)
    )


def describe_context(
    known: Mapping[str, IdMap], columns: Sequence[str]
) -> tuple[ContextSummary, ...]:
    """Each context column that the towers read."""
    return tuple(
        ContextSummary(
            name,
            len(known[name]),
            tuple(known[name].ids(np.arange(min(len(known[name]), _EXAMPLES), dtype=np.int32))),
        )
        for name in sorted(columns)
    )
