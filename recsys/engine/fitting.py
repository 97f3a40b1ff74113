"""From DataFrames to an engine: the run's inputs, its configuration, and its stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from recsys.config import read_toml
from recsys.engine.answers import IdTypes
from recsys.engine.engine import Engine
from recsys.engine.inputs import InputTable, TableInput
from recsys.engine.item_recognition import RecognisedItems, recognise_items
from recsys.engine.recognition import RecognisedLog, recognise_log
from recsys.engine.run import EngineRun
from recsys.errors import InvalidRequestError, NotFoundError, suggestion
from recsys.interactions import ITEM
from recsys.pipeline import Job, PartialConfig, RunConfig, data_lines
from recsys.pipeline.defaults import merge
from recsys.pipeline.job import CACHE
from recsys.pipeline.publishing import parts_of
from recsys.pipeline.sections import rebase_paths

ConfigInput: TypeAlias = "str | Path | Mapping[str, Any] | RunConfig | None"
"""A configuration: a TOML file, the name of a preset, its values, or None for the defaults."""

PRESETS = Path(__file__).parents[2] / "configs"
"""Folder of the presets, in a checkout of the project."""
INPUTS = "inputs"
"""Folder of the tables in a run's folder."""
_KEPT = ("fields", "policy", "pictures", "user_vectors")
"""Keys of the section ``data`` that a given configuration determines."""


@dataclass(frozen=True, eq=False)
class EngineInputs:
    """The tables of a caller, with the meaning of their columns.

    Attributes:
        log: Interactions.
        log_columns: Columns of the interactions.
        items: Items, or None.
        item_columns: Columns of the items, or None.
        searches: Searches, or None.
        search_columns: Columns of the searches, or None.
    """

    log: InputTable
    log_columns: RecognisedLog
    items: InputTable | None = None
    item_columns: RecognisedItems | None = None
    searches: InputTable | None = None
    search_columns: RecognisedLog | None = None

    @classmethod
    def of(
        cls,
        interactions: TableInput,
        items: TableInput | None = None,
        searches: TableInput | None = None,
        *,
        columns: Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
        pictures: bool = False,
    ) -> EngineInputs:
        """Read tables and recognise their columns; see :func:`recsys.fit` for the arguments."""
        log = InputTable.of(interactions, "interactions")
        search_table = None if searches is None else InputTable.of(searches, "searches")
        searched = [] if search_table is None else search_table.table.column_names
        only_searched = {*searched} - {*log.table.column_names}
        own = {k: v for k, v in (columns or {}).items() if str(v) not in only_searched}
        found = recognise_log(log.table, own, name=log.name)
        given: dict[str, Any] = {"log": log, "log_columns": found}
        if items is not None:
            table = InputTable.of(items, "items")
            meaning = recognise_items(
                table.table, fields, log_item=found.columns.item, pictures=pictures
            )
            given |= {"items": table, "item_columns": meaning}
        elif fields or pictures:
            raise InvalidRequestError(
                "fields and pictures belong to a table of items; give items", field="items"
            )
        if search_table is not None:
            shared = {k: v for k, v in (columns or {}).items() if v in searched}
            terms = recognise_log(
                search_table.table, shared, name=search_table.name, needs_terms=True
            )
            given |= {"searches": search_table, "search_columns": terms}
        return cls(**given)

    @property
    def integer_ids(self) -> tuple[str, ...]:
        """Those of "user" and "item" that all tables in memory hold as integers."""
        columns = self.log_columns.columns
        whole = {
            "user": self.log.holds_integers(columns.user),
            "item": self.log.holds_integers(columns.item),
        }
        if self.items is not None and self.item_columns is not None:
            whole["item"] &= self.items.holds_integers(self.item_columns.item)
        return tuple(kind for kind, holds in whole.items() if holds)

    def describe(self) -> list[str]:
        """One line per table for a person."""
        lines = [self.log_columns.describe(self.log.name)]
        if self.item_columns is not None:
            lines.append(self.item_columns.describe())
        if self.search_columns is not None:
            lines.append(self.search_columns.describe("searches"))
        return lines

    def data_section(self, folder: Path) -> dict[str, Any]:
        """The section ``data`` of a configuration; tables in memory are written to ``folder``."""
        made: dict[str, Any] = {}
        logs = ((self.log, self.log_columns), (self.searches, self.search_columns))
        for table, recognised in logs:
            if table is not None and recognised is not None:
                used = list(dict.fromkeys(recognised.columns.named().values()))
                columns = recognised.columns.model_dump(exclude_unset=True, mode="json")
                made[table.name] = {**table.source(used, folder), "columns": columns}
        if self.items is not None and self.item_columns is not None:
            item, fields = self.item_columns.item, self.item_columns.fields
            others = sorted(set(fields.columns()[1:]))
            made["items"] = {**self.items.source([item, *others], folder), "item": item}
            if self.items.path is not None and ITEM in self.item_columns.unused:
                made["items"]["columns"] = others  # without the other column of ids
            made["fields"] = fields.model_dump(exclude_defaults=True, mode="json")
        if self.integer_ids:
            made["integer_ids"] = list(self.integer_ids)
        return made


def fit(
    interactions: TableInput,
    items: TableInput | None = None,
    config: ConfigInput = None,
    *,
    searches: TableInput | None = None,
    pictures: str | Path | None = None,
    columns: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
    name: str | None = None,
    folder: str | Path | None = None,
    progress: bool = True,
    **overrides: Any,
) -> Engine:
    """Train towers on a log and build their index, in the stages of ``recsys run``.

    Columns are recognised by their names and values, and shown. Without a configuration, the
    settings are chosen from the data. Results of an earlier call with equal data and settings are
    reused; an interrupted call resumes.

    Args:
        interactions: Table with a user and an item per row, and, where known, its time.
        items: Table of the items, with titles, texts, categories, numbers and names of pictures.
        config: TOML file or values of a run's configuration, or the name of a preset; its data
            files are replaced by the tables.
        searches: Table of searches with the user, the terms and the item that each led to.
        pictures: Folder or zip archive of the pictures that a column of ``items`` names.
        columns: Columns of ``interactions`` by meaning: user, item, timestamp, position, weight,
            event, terms, context, timestamp_unit, date_format; and those of ``searches``.
        fields: Columns of ``items`` by meaning: item, title, text, categories, numbers, image,
            and filters, a mapping of columns to types.
        policy: Treatment of bad rows, as ``{"bad_rows": "skip"}``; see
            :class:`recsys.ingestion.IngestPolicy`.
        name: Name of the run; by default that of the configuration, else "notebook".
        folder: Folder of the run; None for ``runs/NAME``.
        progress: Whether recognised columns and progress are shown on stderr.
        overrides: Sections or keys of the configuration, merged into it, such as
            ``towers={"dimension": 32}``.

    Returns:
        The engine. Ids are text inside the engine; where the tables hold integers, its DataFrames
        do as well, and integers are accepted.

    Raises:
        DataError: A column is not recognised or ambiguous, or a row cannot be used.
        ConfigError: A setting is unknown or invalid.
        NotFoundError: There is no such preset.
    """
    job, inputs = prepare(
        *(interactions, items, config),
        searches=searches,
        pictures=pictures,
        columns=columns,
        fields=fields,
        policy=policy,
        name=name,
        folder=folder,
        overrides=overrides,
    )
    lines = inputs.describe()
    fitted = EngineRun.of(job, progress=progress, lines=lines)
    return Engine(
        parts_of(job).retriever(),
        IdTypes(frozenset(inputs.integer_ids)),
        "\n".join([*lines, *data_lines(list(fitted.fitted.values())), *map(str, job.choices)]),
        fitted,
    )


def prepare(
    interactions: TableInput,
    items: TableInput | None = None,
    config: ConfigInput = None,
    *,
    searches: TableInput | None = None,
    pictures: str | Path | None = None,
    columns: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
    name: str | None = None,
    folder: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> tuple[Job, EngineInputs]:
    """The run of :func:`fit`, whose tables are written, and their columns."""
    values, base = _configuration(config)
    name = name or values.get("name", "notebook")
    run = (Path("runs") / name if folder is None else Path(folder).expanduser()).resolve()
    left_out = {key: None for key, value in values.items() if value is None}
    changes = {"data": {}, **left_out, **(overrides or {})}
    values = rebase_paths(merge({}, values), old=base, new=run)
    kept = {key: values["data"][key] for key in _KEPT if key in values["data"]}
    if pictures is not None:
        kept["pictures"] = str(Path(pictures).expanduser().resolve())
    if policy is not None:
        kept["policy"] = dict(policy)
    inputs = EngineInputs.of(
        *(interactions, items, searches),
        columns=columns,
        fields=fields or (kept.get("fields") if items is not None else None),
        pictures="pictures" in kept,
    )
    values |= {"name": name, "data": kept | inputs.data_section(run / INPUTS)}
    given = PartialConfig(values, rebase_paths(changes, old=Path.cwd(), new=run))
    cache = run.parent / CACHE if folder is None else run / CACHE
    return Job(given, run, run, cache), inputs


def _configuration(config: ConfigInput) -> tuple[dict[str, Any], Path]:
    """The values of a configuration, and the folder that its relative paths start from.

    A section that a complete configuration leaves out is None.
    """
    if config is None:
        return {"data": {}}, Path.cwd()
    if isinstance(config, RunConfig):
        data = config.data.model_dump(mode="json", exclude_defaults=True)
        config = {**config.model_dump(mode="json"), "data": data}
    if isinstance(config, Mapping):
        return {"data": {}, **config}, Path.cwd()
    path = Path(config).expanduser()
    if not path.is_file():
        path = _preset(str(config))
    return {"data": {}, **read_toml(path)}, path.resolve().parent


def _preset(name: str) -> Path:
    known = {
        path.stem: path
        for path in sorted(PRESETS.glob("*.toml"))
        if not path.stem.startswith(("compare-", "tune-"))
    }
    if name not in known:
        raise NotFoundError(
            f"config must be a TOML file, values, or the name of a preset; {name!r:.80} is neither "
            f"a file nor a preset{suggestion(name, known)} (presets: {', '.join(known) or 'none'})",
            field="config",
        )
    return known[name]
