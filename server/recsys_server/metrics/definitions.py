"""The metrics of a service, with their labels.

Each label has few values, whatever callers send: names of methods, statuses, stages, pipelines and
spaces. No label holds an id, a token or a text. The label "bundle" is "active" or "canary".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SECONDS = (
    *(0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075),
    *(0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


_BUNDLE, _SPACE, _KIND = ("bundle",), ("bundle", "space"), ("bundle", "space", "kind")


@dataclass(frozen=True)
class Definition:
    """A metric.

    Attributes:
        kind: Kind of the metric. Counters and histograms are added up over the workers; a gauge has
            the number of its worker as a label.
        text: Help text.
        labels: Names of its labels.
        buckets: Upper bounds of the buckets of a histogram.
    """

    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


METRICS = {
    "recsys_calls": Definition("counter", "Calls that have ended.", ("method", "status")),
    "recsys_call_seconds": Definition(
        "histogram", "Time from a call to its response.", ("method",), SECONDS
    ),
    "recsys_calls_in_flight": Definition("gauge", "Calls that wait, run or are being answered."),
    "recsys_calls_shed": Definition(
        "counter", "Calls refused at once: by the queue, or by the rate of a token.", ("reason",)
    ),
    "recsys_queue_calls": Definition("gauge", "Retrieval calls that wait or run."),
    "recsys_queue_expected_seconds": Definition(
        "gauge", "Estimated time until a retrieval that arrives now begins."
    ),
    "recsys_queue_wait_seconds": Definition(
        "histogram", "Time from the arrival of a retrieval request to its batch.", (), SECONDS
    ),
    "recsys_requests_dropped": Definition(
        "counter",
        "Requests given up before a stage: the deadline had passed, or the caller had gone.",
        ("stage",),
    ),
    "recsys_stage_seconds": Definition(
        "histogram",
        "Time of a stage of a batch: read (of all its requests), and per bundle retrieve, write.",
        ("stage", "bundle"),
        SECONDS,
    ),
    "recsys_batch_size": Definition(
        "histogram", "Requests that were answered together.", (), SIZES
    ),
    "recsys_answers": Definition(
        "counter", "Requests answered, by bundle (active or canary) and space.", ("bundle", "space")
    ),
    "recsys_interactions_recorded": Definition(
        "counter", "Interactions recorded, without repeated writes."
    ),
    "recsys_cached_answers": Definition("counter", "Requests answered from the cache of answers."),
    "recsys_feed_stages": Definition(
        "counter", "Stages of feeds, by their state.", ("pipeline", "stage", "status")
    ),
    "recsys_feed_stage_seconds": Definition(
        "histogram", "Time of a stage of a feed.", ("pipeline", "stage"), SECONDS
    ),
    "recsys_feed_candidates": Definition(
        "counter", "Candidates before and after a stage.", ("pipeline", "stage", "at")
    ),
    "recsys_feed_items": Definition(
        "counter",
        "Items shown in feeds, by source; an item of several sources counts in equal parts.",
        ("pipeline", "source"),
    ),
    "recsys_feed_slots": Definition(
        "counter",
        "Items shown in feeds, by the reason of their position: ranked, explored, pinned or "
        "promoted.",
        ("pipeline", "slot"),
    ),
    "recsys_impressions": Definition(
        "counter", "Feeds to record: queued, refused by a full queue, written.", ("outcome",)
    ),
    "recsys_impressions_waiting": Definition("gauge", "Recorded feeds not in the store yet."),
    "recsys_impression_failures": Definition(
        "counter", "Attempts at which the store took no recorded feeds; they are repeated."
    ),
    "recsys_bundle_info": Definition(
        "gauge", "1 for each bundle that answers.", ("bundle", "version")
    ),
    "recsys_bundle_created_seconds": Definition(
        "gauge", "Time of publishing of a bundle, in seconds since 1970.", ("bundle",)
    ),
    "recsys_canary_share": Definition("gauge", "Share of the users that the canary answers."),
    "recsys_bundles_refused": Definition("gauge", "Bundles that could not be served."),
    "recsys_bundle_swaps": Definition("counter", "Changes of the bundles that answer, per worker."),
    "recsys_catalogue_items": Definition("gauge", "Items of the catalogue.", _BUNDLE),
    "recsys_users": Definition("gauge", "Users with a history.", _BUNDLE),
    "recsys_interactions": Definition(
        "gauge", "Interactions in the histories of all users.", _BUNDLE
    ),
    "recsys_items": Definition("gauge", "Items of a space.", _SPACE),
    "recsys_delta_items": Definition("gauge", "Items next to the index's base.", _SPACE),
    "recsys_hidden_items": Definition(
        "gauge", "Rows of the index's base that are deleted or replaced.", _SPACE
    ),
    "recsys_index_built_seconds": Definition(
        "gauge",
        "Time of the index's base, of its bundle or the last compaction, in seconds since 1970.",
        _SPACE,
    ),
    "recsys_index_recall_target": Definition(
        "gauge", "Recall that the search of an index is tuned for; 1 for an exact one.", _SPACE
    ),
    "recsys_recall": Definition(
        "gauge", "Recall of a sample of the searches, compared with exact ones.", _KIND
    ),
    "recsys_recall_low": Definition("gauge", "Lower end of the 95% interval of the recall.", _KIND),
    "recsys_recall_target": Definition("gauge", "Recall that is promised.", _KIND),
    "recsys_recall_samples": Definition("gauge", "Searches in the window of the recall.", _KIND),
    "recsys_recall_drifting": Definition(
        "gauge", "1 while the recall is below its target by more than the tolerance.", _KIND
    ),
    "recsys_audit_wrong_rows": Definition(
        "gauge", "Rows in audited answers that were excluded or filtered; a fault.", ("bundle",)
    ),
    "recsys_audit_dropped": Definition(
        "gauge", "Searches chosen for the audit since its start, but not compared.", ("bundle",)
    ),
    "recsys_snapshot_watermark": Definition(
        "gauge", "Changes of the store that answers include.", ("bundle",)
    ),
    "recsys_snapshot_lag_changes": Definition(
        "gauge", "Changes of the store that answers do not include yet.", ("bundle",)
    ),
    "recsys_snapshot_lag_seconds": Definition(
        "gauge", "Time since the first of these changes was seen.", ("bundle",)
    ),
    "recsys_changes_waiting": Definition(
        "gauge", "Changes of items that wait for the encoders.", ("bundle",)
    ),
    "recsys_changes_refused": Definition(
        "gauge", "Changes of items that the bundle cannot include.", ("bundle",)
    ),
    "recsys_store_watermark": Definition("gauge", "Changes in the store."),
    "recsys_store_bytes": Definition("gauge", "Size of the store."),
    "recsys_store_up": Definition("gauge", "1 where the store can be read, else 0."),
    "recsys_worker_memory_bytes": Definition("gauge", "Resident memory of a worker."),
    "recsys_worker_cpu_seconds": Definition("counter", "Processor time of the workers."),
}
