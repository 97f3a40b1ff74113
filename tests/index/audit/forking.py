"""A program that observes a search, forks and observes it again; prints both counts."""

from __future__ import annotations

import os

from recsys.index import ExactIndex
from recsys.index.audit import AuditConfig, RecallAudit
from tests.contracts.index_contract import made_vectors

K = 10


def main() -> None:
    index, queries = ExactIndex.of(made_vectors(300, seed=1)), made_vectors(3, seed=2)
    hits = index.search(queries, K)
    with RecallAudit(AuditConfig(share=1)) as audit:
        audit.observe("items", index, queries, hits, k=K)
        assert audit.wait()
        child = os.fork()
        if child == 0:
            audit.observe("items", index, queries, hits, k=K)
            assert audit.wait()
            print("child", audit.figures().compared, flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print("parent", audit.figures().compared)


if __name__ == "__main__":
    main()
