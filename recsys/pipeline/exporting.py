"""Export of a run's embeddings: users, items, queries and content vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from recsys.errors import NotFoundError
from recsys.evaluation.thumbnails import thumbnail
from recsys.export import Embeddings, ExportedSet, export
from recsys.export.embeddings import Thumbnail
from recsys.features.attributes import category_values
from recsys.ids import IdMap, Rows, Vectors
from recsys.interactions import ITEM, TERMS, USER
from recsys.pipeline.job import Job
from recsys.pipeline.stage import load_record
from recsys.towers import QueryBatch

BATCH = 4096
"""Number of queries encoded at a time."""


def export_embeddings(
    job: Job, folder: Path, *, spaces: Sequence[str] = ()
) -> tuple[list[ExportedSet], list[str]]:
    """Write the vectors of users, items and search phrases into ``folder``.

    Users are encoded with their id and whole history, including interactions after training, and
    search phrases by their terms alone, if the towers read terms. See :mod:`recsys.export.writing`
    for the files. ``folder`` is new, empty, or an earlier export, which is replaced; ``spaces`` are
    feature blocks to write as well.

    Returns:
        The written embeddings, and reasons for those left out.

    Raises:
        NotFoundError: The run has no such feature block.
        DataError: The folder has other content, or cannot be written.
    """
    wanted = list(dict.fromkeys(spaces))
    for name in wanted:
        if name not in job.blocks:
            known = ", ".join(job.blocks) or "none"
            raise NotFoundError(
                f"the run has no content vectors '{name}'; it has: {known}", field="space"
            )
    sets: list[Embeddings] = []
    left_out: list[str] = []
    for each in (_users(job), _items(job), _queries(job)):
        if isinstance(each, str):
            left_out.append(each)
        else:
            sets.append(each)
    unknown = len(job.ingested.interactions.phrases) - 1 - int(job.phrases.any(axis=1).sum())
    if job.towers.terms_dimension and unknown:
        left_out.append(f"queries: {unknown:,} search phrases have no known word")
    for name in wanted:
        block = job.blocks[name]
        rows = np.flatnonzero(block.mask).astype(np.int32)
        if len(rows) < len(block):
            left_out.append(f"{name}: {len(block) - len(rows):,} items have no vector")
        if len(rows):
            sets.append(_item_embeddings(job, name, block.vectors, rows))
    about = {"run": job.config.name, "fingerprints": _fingerprints(job), "left_out": left_out}
    return export(sets, folder, about=about, progress=job.progress), left_out


def _users(job: Job) -> Embeddings | str:
    if job.query_phrases is not None:
        return "users: the query tower reads search terms alone, every user has one vector"
    log = job.ingested.interactions
    rows = np.arange(len(log.users), dtype=np.int32)
    timed = log.clock == "timestamp"
    batch = QueryBatch.of(
        [log.history(int(row)) for row in rows],
        users=rows,
        times=[log.times(int(row)) for row in rows] if timed else None,
    )
    lengths = [str(length) for length in np.diff(log.offsets)]
    vectors = _encode(job, batch, "encode users")
    return Embeddings("users", USER, _ids(log.users), vectors, {"interactions": lengths})


def _items(job: Job) -> Embeddings:
    rows = np.arange(len(job.ingested.catalogue), dtype=np.int32)
    return _item_embeddings(job, "items", job.towers.item_vectors, rows)


def _queries(job: Job) -> Embeddings | str:
    if not job.towers.terms_dimension:
        return "queries: the query tower reads no search terms"
    log = job.ingested.interactions
    known = np.flatnonzero(job.phrases.any(axis=1))
    if not len(known):
        return "queries: the text encoder knows no word of the log's search terms"
    terms = job.phrases[known]
    batch = QueryBatch.of([np.empty(0, np.int32)] * len(known), terms=terms)
    times = np.bincount(log.terms, minlength=len(log.phrases))
    return Embeddings(
        "queries",
        TERMS,
        tuple(log.phrases[row] for row in known),
        _encode(job, batch, "encode queries"),
        {"interactions": [str(times[row]) for row in known]},
    )


def _encode(job: Job, batch: QueryBatch, description: str) -> Vectors:
    parts = []
    for at in range(0, len(batch), BATCH):
        stop = min(at + BATCH, len(batch))
        parts.append(job.towers.encode_many(batch.slice(at, stop)))
        job.progress(description, stop, len(batch))
    return np.concatenate(parts)


def _item_embeddings(job: Job, name: str, vectors: Vectors, rows: Rows) -> Embeddings:
    """Embeddings of the items ``rows``, with labels and thumbnails."""
    columns = _labels(job).items()
    labels = {column: [values[row] for row in rows] for column, values in columns}
    ids = tuple(job.ingested.catalogue.ids.ids(rows))
    return Embeddings(name, ITEM, ids, vectors[rows], labels, _thumbnails(job, rows))


def _labels(job: Job) -> Mapping[str, Sequence[str]]:
    """Columns of labels per item: title, categories, number of interactions, warm or cold."""
    catalogue, log = job.ingested.catalogue, job.ingested.interactions
    fields = catalogue.fields
    labels: dict[str, Sequence[str]] = {"title": catalogue.titles()}
    for column in fields.categories:
        values = category_values(catalogue.table, column, fields.separator)
        labels[column] = [", ".join(each) for each in values]
    labels["interactions"] = [str(count) for count in log.item_counts]
    labels["training"] = ["warm" if warm else "cold" for warm in job.split.final.warm]
    return labels


def _thumbnails(job: Job, rows: Rows) -> Thumbnail | None:
    catalogue = job.ingested.catalogue
    if catalogue.pictures is None or catalogue.fields.image is None:
        return None
    return lambda at, side: thumbnail(catalogue, int(rows[at]), side)


def _ids(known: IdMap) -> tuple[str, ...]:
    return tuple(str(value) for value in known.index)


def _fingerprints(job: Job) -> dict[str, str]:
    records = {name: load_record(job.folder / name) for name in ("ingest", "encode", "train")}
    return {name: record["fingerprint"] for name, record in records.items() if record is not None}
