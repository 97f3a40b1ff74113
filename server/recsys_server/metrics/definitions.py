"""The metrics of a service, with their labels.

Each label has few values, whatever callers send: names of methods, statuses, stages and spaces. No
label holds an id, a token or a text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SECONDS = (
    *(0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075),
    *(0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


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
    "recsys_stage_seconds": Definition(
        "histogram",
        "Time of a stage of a batch: read, retrieve, write.",
        ("stage",),
        SECONDS,
    ),
    "recsys_batch_size": Definition(
        "histogram", "Requests that were answered together.", (), SIZES
    ),
    "recsys_answers": Definition(
        "counter", "Requests answered, by bundle (active or canary) and space.", ("bundle", "space")
    ),
    "recsys_bundle_created_seconds": Definition(
        "gauge", "Time of publishing of a bundle, in seconds since 1970.", ("bundle",)
    ),
    "recsys_canary_share": Definition("gauge", "Share of the users that the canary answers."),
    "recsys_bundles_refused": Definition("gauge", "Bundles that could not be served."),
    "recsys_bundle_swaps": Definition("counter", "Changes of the bundles that answer."),
    "recsys_items": Definition("gauge", "Items of a space.", ("space",)),
    "recsys_delta_items": Definition("gauge", "Items next to the index's base.", ("space",)),
    "recsys_hidden_items": Definition(
        "gauge", "Rows of the index's base that are deleted or replaced.", ("space",)
    ),
    "recsys_recall": Definition(
        "gauge", "Recall of a sample of the searches, compared with exact ones.", ("space", "kind")
    ),
    "recsys_snapshot_watermark": Definition("gauge", "Changes of the store that answers include."),
    "recsys_store_watermark": Definition("gauge", "Changes in the store."),
    "recsys_store_bytes": Definition("gauge", "Size of the store."),
    "recsys_store_up": Definition("gauge", "1 where the store can be read, else 0."),
    "recsys_worker_memory_bytes": Definition("gauge", "Resident memory of a worker."),
    "recsys_worker_cpu_seconds": Definition("counter", "Processor time of the workers."),
}
