"""Configuration of a run: a TOML file with one section per part of the library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from recsys.catalogue import CatalogueFields
from recsys.config import Config, load_config, seeded
from recsys.encoders import ImageEncoderConfig, TextEncoderConfig
from recsys.errors import ConfigError, InvalidRequestError
from recsys.feed import FeedConfig, shares_of
from recsys.formats import InteractionSource, ItemSource, StoreInteractions, StoreItems
from recsys.index import IndexConfig, ScannConfig
from recsys.ingestion import IngestPolicy
from recsys.ranking import RankerConfig
from recsys.retrieval import Query, Request, RequestField
from recsys.splits import GlobalTimeConfig, SplitConfig
from recsys.towers.config import TowersConfig, TrainConfig
from recsys_client.request import SERVICE_MAX_K

_FEED_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
SpaceName = Literal["two_tower", "text", "image"]


class DataConfig(Config):
    """Files to read.

    Paths are relative to the folder of the configuration; ``data:NAME/...`` is located by name (see
    :func:`recsys.formats.locate`).

    Attributes:
        interactions: Interaction log.
        items: Catalogue; by default items have only ids.
        searches: Log of searches with the item that each led to.
        fields: Meaning of the catalogue's columns.
        pictures: Folder or zip archive of pictures.
        user_vectors: Parquet file of external user vectors for the query tower, in the format of
            ``recsys export-embeddings``.
        integer_ids: Ids ("user", "item") that tables in memory hold as integers. The engine's ids
            are text; only the DataFrames of a notebook have integers again.
        policy: Treatment of invalid entries.
    """

    interactions: Annotated[InteractionSource | StoreInteractions, Field(discriminator="format")]
    items: Annotated[ItemSource | StoreItems, Field(discriminator="format")] | None = None
    searches: InteractionSource | None = None
    fields: CatalogueFields = CatalogueFields()
    pictures: str | None = None
    user_vectors: str | None = None
    integer_ids: tuple[Literal["user", "item"], ...] = ()
    policy: IngestPolicy = IngestPolicy()

    @property
    def stores(self) -> dict[str, StoreInteractions | StoreItems]:
        """The sections that are read from a store, by name."""
        given = {"interactions": self.interactions, "items": self.items}
        return {
            name: section
            for name, section in given.items()
            if isinstance(section, StoreInteractions | StoreItems)
        }

    @property
    def has_pictures(self) -> bool:
        """Whether the catalogue can have pictures."""
        return self.pictures is not None or "items" in self.stores

    @model_validator(mode="after")
    def _a_store_is_whole(self) -> DataConfig:
        if "items" in self.stores and "interactions" not in self.stores:
            raise ValueError("items of a store need its interactions: read both from the store")
        if "items" in self.stores and self.pictures is not None:
            raise ValueError("the items' store holds their pictures; leave data.pictures out")
        return self


class EvaluationConfig(Config):
    """Evaluation of the towers and the baselines.

    Attributes:
        ks: Values of k for the metrics; the first is shown in the table.
        choose_by: Validation metric that selects the epoch and stops the training.
        baselines: Baselines to evaluate.
        resamples: Number of bootstrap resamples for the intervals.
        oracle: JSON file with the best reachable figures, under "oracle", for data whose rule is
            known.
        sheet_users: Number of users whose history and recommendations the report shows as pictures.
        seed: Seed of the bootstrap and the random scorer.
    """

    ks: tuple[int, ...] = Field((10, 20, 50, 100), min_length=1)
    choose_by: str = Field("ndcg@10", pattern=r"^(recall|hr|ndcg|mrr)@[1-9][0-9]*$")
    baselines: tuple[Literal["random", "popularity", "item_knn"], ...] = (
        "random",
        "popularity",
        "item_knn",
    )
    resamples: int = Field(1000, ge=1)
    oracle: str | None = None
    sheet_users: int = Field(4, ge=0, le=50)
    seed: int = Field(0, ge=0)


class IndexSection(Config):
    """The index of every space, and its comparison with exact search.

    Attributes:
        search: Exact search, ScaNN or Milvus, with its settings.
        recall_at: The k of the ANN recall, measured in addition to that at 1, 10, 100 and 1,000.
        queries: Maximum number of queries of each kind, for the tuning and for the ANN recall.
    """

    search: IndexConfig = ScannConfig()
    recall_at: int = Field(100, ge=1)
    queries: int = Field(1000, ge=1)


def _none(value: object) -> object:
    """The value "none", which TOML writes for an encoder that is left out."""
    return None if value == "none" else value


def _callable(value: object) -> object:
    """The request of ``serve.call``, with a default k."""
    return {"k": 10, **value} if isinstance(value, Mapping) else value


class ServeConfig(Config):
    """How a run tries out the published bundle.

    Attributes:
        call: Request to send, in the JSON of ``recsys.retrieval.request_to_json``. Without a query
            it is for the first user of the log, or for the first search terms where the towers
            read nothing else.
        start_seconds: Time limit for the start of the service, and again for its first answer.
        stop_seconds: Time limit for its stop.
    """

    call: Annotated[RequestField, BeforeValidator(_callable)] = Request(Query(), 10)
    start_seconds: float = Field(300.0, gt=0)
    stop_seconds: float = Field(60.0, gt=0)

    @field_validator("call")
    @classmethod
    def _can_be_answered(cls, call: Request) -> Request:
        # A request without a query gets one from the log.
        query = Query(history=()) if call.query == Query() else call.query
        try:
            replace(call, query=query).check(SERVICE_MAX_K)
        except InvalidRequestError as error:
            raise ValueError(error.message) from error
        return call


class RunConfig(Config):
    """Everything that a run depends on.

    Attributes:
        name: Name of its folder in ``runs/``.
        seed: Seed of every section that has none of its own.
        data: Files to read.
        split: Training, validation and test part. Chosen from the data if left out.
        text: Text encoder; needed for the block and the space ``text``; "none" for no encoder.
            Chosen from the data if left out.
        image: Image encoder; needed for the block and the space ``image``; "none" for no encoder.
            Chosen from the data if left out.
        attributes: Whether categories and numbers of the catalogue are a feature block.
        towers: Inputs and sizes of the towers. Chosen from the data if left out.
        train: Training of the towers. Chosen from the data if left out.
        evaluation: Evaluation of the towers.
        index: Index of the spaces.
        ranker: Ranker of retrieved items; None for none.
        spaces: Spaces to publish. Chosen from the data if left out.
        serve: Trial of the published bundle.
        feed: Pipelines of feeds, one section ``[feed.NAME]`` each, published with the bundle;
            without any, feeds have the default pipeline.

    Example:
        >>> from recsys.config import parse_config
        >>> log = {"format": "csv", "path": "log.csv"}
        >>> run = parse_config({"name": "mine", "data": {"interactions": log}}, RunConfig)
        >>> run.spaces
        ('two_tower',)
    """

    name: str = Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$", max_length=100)
    seed: int = Field(0, ge=0, lt=2**31)
    data: DataConfig
    split: SplitConfig = GlobalTimeConfig()
    text: Annotated[TextEncoderConfig | None, BeforeValidator(_none)] = None
    image: Annotated[ImageEncoderConfig | None, BeforeValidator(_none)] = None
    attributes: Literal["use", "skip"] = "use"
    towers: TowersConfig = TowersConfig()
    train: TrainConfig = TrainConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    index: IndexSection = IndexSection()
    ranker: RankerConfig | None = None
    spaces: tuple[SpaceName, ...] = ("two_tower",)
    serve: ServeConfig = ServeConfig()
    feed: dict[str, FeedConfig] = {}

    @model_validator(mode="after")
    def _spaces_have_encoders(self) -> RunConfig:
        for name in ("text", "image"):
            if name in self.spaces and getattr(self, name) is None:
                raise ValueError(f"the space '{name}' needs an encoder: add a section [{name}]")
        if "two_tower" not in self.spaces or len(set(self.spaces)) < len(self.spaces):
            raise ValueError("spaces must hold 'two_tower', and each name once")
        for name in self.serve.call.spaces:
            if name not in self.spaces:
                raise ValueError(
                    f"serve.call.space names '{name}', which is not in spaces: add it to spaces, or"
                    f" choose of {', '.join(self.spaces)}"
                )
        if self.image is not None and not self.data.has_pictures:
            raise ValueError(
                "an encoder of pictures needs data.pictures and data.fields.image: give both, or"
                " leave the section [image] out"
            )
        return self

    @field_validator("feed")
    @classmethod
    def _feeds_share_the_users(cls, feeds: dict[str, FeedConfig]) -> dict[str, FeedConfig]:
        for name in feeds:
            if not _FEED_NAME.fullmatch(name):
                raise ValueError(f"the name of a feed must match {_FEED_NAME.pattern}: {name!r}")
        if feeds:
            try:
                shares_of(feeds)
            except ConfigError as error:
                raise ValueError(error.message) from error
        return feeds

    def seeded(self) -> RunConfig:
        """The same configuration with ``seed`` in every section that has none of its own."""
        return seeded(self, self.seed)


def load_run_config(path: Path) -> RunConfig:
    """Read a run's configuration; every section has its seed."""
    return load_config(path, RunConfig).seeded()
