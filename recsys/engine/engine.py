"""The engine of a notebook: recommendations, neighbours and searches as DataFrames."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from recsys.bundle import open_bundle, publish
from recsys.engine.answers import IdTypes, frame_of, joined
from recsys.engine.report import EngineReport
from recsys.engine.requests import picture_bytes, request_of, text_ids
from recsys.engine.run import EngineRun
from recsys.errors import InvalidRequestError, NotFoundError, RecsysError, UnknownIdError
from recsys.interactions import Interactions
from recsys.pipeline import write_run_report
from recsys.pipeline.publishing import parts_of
from recsys.progress import silent
from recsys.retrieval import IMAGE, TEXT, TWO_TOWER, Response, Retriever
from recsys.screen import Screen, quiet_libraries

BATCH = 1024
"""Number of requests that are answered together."""
_SHOWN_FROM = 8 * BATCH
_EXAMPLES = 5


@dataclass(frozen=True, eq=False)
class Engine:
    """A trained retrieval engine; :func:`recsys.fit` and :func:`recsys.open` make one.

    The options of :meth:`recommend`, :meth:`similar` and :meth:`search` are the fields of
    :class:`recsys.retrieval.Request`: ``exclude``, ``seen``, ``space``, ``context``, ``titles``,
    ``filter='brand = "acme" and price < 20'``, ``crowding={"brand": 2}``, ``effort``. With
    ``explain=True``, ``attrs["explanations"]`` of the answer states how each query was searched.
    The answers are those of the service over the same bundle.

    Attributes:
        retriever: Retriever that answers.
        id_types: Conversion between the caller's ids and text.
        description: Statement of the columns that were recognised, or of the opened bundle.
        run: Run behind the engine; None for an opened bundle.
        bundles: Folder of the opened bundle; None for a run.

    Example:
        >>> from recsys.catalogue import catalogue_of_ids
        >>> from recsys.ids import IdMap
        >>> from recsys.index import ExactConfig
        >>> from recsys.interactions import Interactions
        >>> from recsys.retrieval import Space
        >>> catalogue = catalogue_of_ids(["lamp", "desk lamp", "rug"])
        >>> log = Interactions.of(IdMap.of("user", []), catalogue.ids, user=[], item=[], time=[])
        >>> vectors = np.array([[1, 0], [0.9, 0.1], [0, 1]], np.float32)
        >>> spaces = {"text": Space.content("text", vectors, np.ones(3, bool), ExactConfig())}
        >>> engine = Engine(Retriever(catalogue, log, None, spaces))
        >>> engine.similar(items=["lamp"], k=1, space="text")[["query_id", "item_id", "rank"]]
          query_id    item_id  rank
        0     lamp  desk lamp     1
    """

    retriever: Retriever
    id_types: IdTypes = IdTypes()
    description: str = ""
    run: EngineRun | None = None
    bundles: Path | None = None

    def recommend(
        self,
        users: Any = None,
        k: int = 10,
        *,
        histories: Mapping[Any, Sequence[Any]] | Sequence[Sequence[Any]] | None = None,
        unknown: Literal["raise", "skip"] = "raise",
        **options: Any,
    ) -> pd.DataFrame:
        """Recommend items to users of the log, or for histories.

        Args:
            users: One user id, or a list or column of ids; None for all users of the log.
            k: Number of items per user.
            histories: Instead of users, item ids per history, oldest first; a mapping names them,
                a list numbers them from 0.
            unknown: Whether a user that is not in the log is an error or left out; those left out
                are in ``attrs["skipped"]``.
            options: Fields of a request and of its query.

        Returns:
            Columns user_id, item_id, score (float32) and rank (int64, from 1); per user the best
            first, in the order of ``users``. ``attrs["notes"]`` states why users have fewer than k.

        Raises:
            UnknownIdError: A user is unknown and ``unknown="raise"``.
            InvalidRequestError: A value is out of range, or a user cannot be answered.
            NotFoundError: The space does not exist.
        """
        if histories is not None:
            if users is not None:
                raise InvalidRequestError("give users or histories, not both", field="users")
            return self._recommend_for_histories(histories, k, options)
        if users is None:
            wanted, skipped = list(map(str, self._log.users.index)), list[str]()
        else:
            wanted, skipped = self._known_users(text_ids(users, "users"), unknown)
        queries = [{"user_id": user} for user in wanted]
        column = self.id_types.column("user", wanted).rename("user_id")
        frame = self._answer(queries, k, options, kind="user", column=column)
        frame.attrs["skipped"] = skipped
        return frame

    def similar(self, items: Any, k: int = 10, **options: Any) -> pd.DataFrame:
        """Find the nearest neighbours of items.

        Args:
            items: One item id, or a list or column of ids.
            k: Number of neighbours per item.
            options: Fields of a request; ``space="text"`` compares texts, ``"image"`` pictures.

        Returns:
            Columns query_id (the given item), item_id (its neighbour), score and rank.

        Raises:
            UnknownIdError: An item is unknown.
            InvalidRequestError: A value is out of range, or an item has no vector in the space.
            NotFoundError: The space does not exist.
        """
        wanted = text_ids(items, "items")
        queries = [{"item_id": item} for item in wanted]
        column = self.id_types.column("item", wanted).rename("query_id")
        return self._answer(queries, k, options, kind="item", column=column)

    def search(
        self, terms: str | None = None, *, image: Any = None, k: int = 10, **options: Any
    ) -> pd.DataFrame:
        """Search with words, a picture, or both.

        Args:
            terms: Search terms.
            image: A picture: its path, its bytes, or a Pillow image.
            k: Number of items.
            options: Fields of a request and of its query. The default of ``space`` is "text" for
                terms, "image" for a picture and "text+image" for both; without a space "text",
                terms are searched in "two_tower".

        Returns:
            Columns item_id, score and rank; for several spaces also the score in each.

        Raises:
            InvalidRequestError: There is nothing to search for, no known word in the terms, or a
                picture that cannot be read.
            NotFoundError: The space does not exist.
        """
        query: dict[str, Any] = {} if terms is None else {"terms": terms}
        query |= {} if image is None else {"image": picture_bytes(image)}
        has_text = TEXT in self.retriever.spaces or TWO_TOWER not in self.retriever.spaces
        words = [TEXT if has_text else TWO_TOWER] * (terms is not None)
        spaces = words + [IMAGE] * (image is not None)
        options = {"space": "+".join(spaces) or TWO_TOWER, **options}
        return self._answer([query], k, options)

    def evaluate(self) -> EngineReport:
        """Evaluate the towers and the baselines on the test queries, as ``recsys run`` does.

        ``report.html``, ``report.md`` and ``report.json`` are written into the run's folder. A
        second call reuses the result.

        Raises:
            NotFoundError: The engine was opened from a bundle, which holds no test queries.
        """
        run = self._run_for("evaluate")
        with run.evaluated() as (job, results):
            record = write_run_report(job, results, command=run.command)
        return EngineReport(record, job.folder, job.config.evaluation.ks[0])

    def publish(self, folder: str | Path | None = None) -> str:
        """Publish a bundle for the service, with its figures; returns the name of its version.

        The towers are evaluated first if they are not yet.

        Args:
            folder: Folder of bundles; None for ``bundles`` in the run's folder.

        Raises:
            NotFoundError: The engine was opened from a bundle.
            BundleError: The written bundle answers differently from this engine.
        """
        run = self._run_for("publish")
        with run.evaluated() as (job, _):
            root = job.bundles if folder is None else Path(os.path.expanduser(folder))
            return publish(root, parts_of(job), progress=job.progress)

    @property
    def _log(self) -> Interactions:
        """The log of the run or of the bundle."""
        assert isinstance(self.retriever.log, Interactions)
        return self.retriever.log

    def __repr__(self) -> str:
        log, spaces = self._log, ", ".join(self.retriever.spaces)
        sizes = f"{len(log.users):,} users, {len(log.items):,} items, {len(log):,} interactions"
        return f"Engine: {sizes}; spaces {spaces}\n{self.description}".rstrip()

    def _run_for(self, call: str) -> EngineRun:
        if self.run is None:
            raise NotFoundError(
                f"this engine was opened from the bundle {self.retriever.bundle_version} in "
                f"{self.bundles}, which is published and holds no training data or test queries; "
                f"call {call}() on the engine that recsys.fit returned"
            )
        return self.run

    def _recommend_for_histories(
        self,
        histories: Mapping[Any, Sequence[Any]] | Sequence[Sequence[Any]],
        k: int,
        options: dict[str, Any],
    ) -> pd.DataFrame:
        named = histories if isinstance(histories, Mapping) else dict(enumerate(histories))
        queries = [
            {"history": text_ids(history, f"histories[{label!r}]")}
            for label, history in named.items()
        ]
        column = pd.Series(list(named), dtype=None if named else object, name="user_id")
        return self._answer(queries, k, options, kind="history", column=column)

    def _known_users(
        self, users: Sequence[str], unknown: Literal["raise", "skip"]
    ) -> tuple[list[str], list[str]]:
        """The known users, and the others."""
        if unknown not in ("raise", "skip"):
            raise InvalidRequestError(
                f"unknown must be 'raise' or 'skip'; got {unknown!r:.80}", field="unknown"
            )
        known = self._log.users
        missing = np.flatnonzero(known.index.get_indexer(pd.Index(users, dtype=object)) < 0)
        if not len(missing):
            return list(users), []
        skipped = list(dict.fromkeys(users[position] for position in missing.tolist()))
        if unknown == "raise":
            shown = ", ".join(f"'{user:.80}'" for user in skipped[:_EXAMPLES])
            more = "" if len(skipped) <= _EXAMPLES else f" and {len(skipped) - _EXAMPLES:,} more"
            raise UnknownIdError(
                f"unknown users: {shown}{more}; the log has {len(known):,} others. Give histories="
                " for people without a log, or leave them out with unknown='skip'",
                field="users",
            )
        return [user for user in users if user in known], skipped

    def _answer(
        self,
        queries: Sequence[Mapping[str, Any]],
        k: int,
        options: Mapping[str, Any],
        *,
        kind: str = "",
        column: pd.Series[Any] | None = None,
    ) -> pd.DataFrame:
        """The answers, in batches; an error names the entry of ``column``, which is a ``kind``."""
        frames, titles = [], bool(options.get("titles"))
        shown = len(queries) > _SHOWN_FROM and self.run is not None and self.run.progress
        with Screen() if shown else nullcontext(silent) as progress:
            for start in range(0, max(len(queries), 1), BATCH):
                part = slice(start, start + BATCH)
                requests = [request_of(query, k, options) for query in queries[part]]
                labels = None if column is None else column.iloc[part]
                answers: list[Response] = []
                for position, answer in enumerate(self.retriever.answer(requests)):
                    if isinstance(answer, RecsysError):
                        label = "" if labels is None else f"{kind} '{labels.iloc[position]}': "
                        raise type(answer)(f"{label}{answer.message}", field=answer.field)
                    answers.append(answer)
                frames.append(frame_of(answers, self.id_types, queries=labels, titles=titles))
                progress("answer", min(start + BATCH, len(queries)), len(queries))
        return joined(frames)


def open_engine(bundles: str | Path, version: str = "current") -> Engine:
    """Open a published bundle.

    Args:
        bundles: Folder of bundles, as given to :meth:`Engine.publish`.
        version: Name of the version; the current one by default.

    Raises:
        NotFoundError: The bundle does not exist.
        BundleError: A file of the bundle is damaged.
    """
    quiet_libraries()
    root = Path(os.path.expanduser(bundles))
    bundle = open_bundle(root, version)
    data = bundle.manifest.config.get("data")
    integers = data.get("integer_ids", ()) if isinstance(data, dict) else ()
    return Engine(
        bundle.retriever,
        IdTypes(frozenset(integers)),
        f"opened from the bundle {bundle.version} in {root}",
        bundles=root,
    )
