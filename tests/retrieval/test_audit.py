"""The retriever shows its audit every search, with the rows that were eligible."""

from __future__ import annotations

import numpy as np

from recsys.index import RowSet
from recsys.index.audit import AuditConfig, RecallAudit
from recsys.retrieval import Request
from recsys.retrieval.fusion_search import FusionInput, search_spaces
from recsys_client.fusion import ReciprocalRank
from tests.retrieval.world import make_world


def test_the_searches_of_every_request_are_audited_by_kind() -> None:
    world = make_world()
    with RecallAudit(AuditConfig(share=1)) as audit:
        retriever = world.retriever(audit=audit)
        # Not every item has a vector in the space "text", which is no filter.
        requests = [Request.of(user_id="ann", k=3), Request.of(terms="3", space="text", k=3)]
        assert all(response.candidates for response in retriever.answer(requests))
        none, even = np.empty(0, np.int32), RowSet.of_rows(range(0, 40, 2), 40)
        query = {"text": world.spaces["text"].vectors[3]}
        filtered = FusionInput(query, none, 3, ReciprocalRank(), allowed=even)
        search_spaces(world.spaces, [filtered], audit=audit)
        assert audit.wait(300)
        figures = audit.figures()
    assert (figures.seen, figures.compared, figures.wrong_rows) == (3, 3, 0)
    assert [(each.label, each.kind, each.recall) for each in figures.windows] == [
        ("text", "filtered", 1.0),
        ("text", "plain", 1.0),
        ("two_tower", "excluded", 1.0),
    ]
