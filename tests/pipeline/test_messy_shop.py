"""A shop of messy exports, from csv to gRPC: the report counts every row and value that is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from recsys.bundle import open_bundle
from recsys.ingestion import IngestedData, IngestReport
from recsys.pipeline import Job, StageResult, open_job, run_job
from recsys.retrieval import Query, Request
from recsys_client import RecsysClient
from tests.pipeline.messy import Ledger, write_messy
from tests.server.service_world import WAIT, served

MISSING = "(missing)"


def run_messy(
    folder: Path, *, items: int, events: int, seed: int = 7
) -> tuple[Ledger, Job, list[StageResult]]:
    """Write the shop and run it until it is published."""
    ledger = write_messy(folder, items=items, events=events, seed=seed)
    job = open_job(folder / "messy.toml", runs=folder / "runs")
    return ledger, job, run_job(job, until="publish")


def check_report(ledger: Ledger, report: IngestReport) -> None:
    """Compare every count of the report with the ledger, and no reason is left over."""
    lost: Counter[tuple[str, str, str]] = Counter()
    missing: Counter[tuple[str, str, str]] = Counter()
    for table, read in ledger.read.items():
        found = getattr(report, table)
        assert found.read == read
        for groups, counts in ((found.dropped, lost), (found.missing, missing)):
            for group in groups:
                counts[table, group.column, group.reason] += group.count
    assert _by_kind(lost, ledger.lost) == +ledger.lost
    assert _by_kind(missing, ledger.missing) == +ledger.missing
    unpictured = Counter({("", "", group.reason): group.count for group in report.pictures})
    expected = Counter({("", "", reason): count for reason, count in ledger.unpictured.items()})
    assert _by_kind(unpictured, expected) == expected
    assert report.joined == ledger.joined


def _by_kind(
    found: Counter[tuple[str, str, str]], kinds: Counter[tuple[str, str, str]]
) -> Counter[tuple[str, str, str]]:
    """Counts by the kinds of reason, which are the beginnings of the reasons."""
    made: Counter[tuple[str, str, str]] = Counter()
    for (table, column, reason), count in found.items():
        same = [k for k in kinds if k[:2] == (table, column) and reason.startswith(k[2])]
        made[max(same, key=lambda kind: len(kind[2]), default=(table, column, reason))] += count
    return made


def check_data(ledger: Ledger, data: IngestedData) -> None:
    """Compare every value that was kept with the ledger."""
    log, catalogue = data.interactions, data.catalogue
    columns = [log.users.ids(log.user), log.items.ids(log.item), log.time.tolist()]
    context = {
        name: [value.replace(MISSING, "") for value in ids.ids(log.context_rows[name])]
        for name, ids in log.context.items()
    }
    terms = [log.phrases[row] for row in log.terms]
    weights = [round(float(weight), 4) for weight in log.weight]
    others = (context["event"], weights, context["device"], context["note"], terms)
    assert Counter(zip(*columns, *others)) == ledger.events
    values = [catalogue.table[name].to_pylist() for name in ("title", "tags", "price")]
    kept = dict(zip(catalogue.ids.ids(range(len(catalogue))), zip(*values)))
    assert kept == {
        item: (title, tags or None, price) for item, (title, tags, price) in ledger.items.items()
    }


def check_answer(ledger: Ledger, job: Job) -> None:
    """Answer a user of the log over gRPC, as in this process, with items of the catalogue."""
    user = next(iter(ledger.events))[0]
    request = Request(Query(user_id=str(user)), k=10)
    retriever = open_bundle(job.bundles).retriever
    with served(retriever) as server, RecsysClient(server.address, timeout=WAIT) as client:
        answer = client.respond(request)
    assert len(answer.candidates) == 10
    assert {candidate.id for candidate in answer.candidates} <= set(ledger.items)
    assert answer == retriever.respond(request)


def check_shop(ledger: Ledger, job: Job, results: list[StageResult]) -> None:
    """All of the above, and pictures that cannot be decoded."""
    notes = {result.stage: result.notes for result in results}
    check_report(ledger, IngestReport.from_dict(notes["ingest"]["ingest"]))
    check_data(ledger, job.ingested)
    undecoded = [fault["item_id"] for fault in notes["encode"]["unreadable"]["image"]]
    assert sorted(undecoded) == sorted(ledger.undecoded)
    check_answer(ledger, job)


def test_the_report_states_every_loss_of_a_messy_shop(tmp_path: Path) -> None:
    check_shop(*run_messy(tmp_path / "shop", items=300, events=3_000))


def test_lists_with_nulls_lose_nothing(tmp_path: Path) -> None:
    ledger = write_messy(tmp_path / "shop", items=300, events=3_000)
    job = open_job(tmp_path / "shop" / "lists.toml", runs=tmp_path / "runs")
    run_job(job, until="ingest")
    ledger.items = {
        item: (title, tags.strip("|"), price) for item, (title, tags, price) in ledger.items.items()
    }
    check_report(ledger, job.ingested.report)
    check_data(ledger, job.ingested)
