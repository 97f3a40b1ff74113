"""Ingested data on disk: parquet tables and a JSON file that says what they are.

A folder is there whole or not at all, and is checked when it is loaded. Pictures stay where they
are: only their names are kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.config import parse_config
from recsys.errors import ConfigError, DataError
from recsys.files import atomic_folder, read_json, sha256_bytes, sha256_file, write_json
from recsys.ids import IdMap
from recsys.ingestion.ingest import IngestedData
from recsys.ingestion.report import IngestReport
from recsys.interactions import Interactions
from recsys.pictures import PictureStore

FORMAT = 1
MANIFEST = "ingested.json"
_OWN_SUM = "manifest_sha256"
_LOG, _USERS, _CATALOGUE, _PHRASES = "log", "users", "catalogue", "phrases"
_CONTEXT = "context_"


def save_ingested(ingested: IngestedData, folder: Path) -> str:
    """Write ``folder``, in place of one that is there.

    Returns:
        The fingerprint of the data: equal data give an equal one.

    Raises:
        DataError: ``folder`` exists and is not such a folder, or cannot be written.
    """
    if folder.exists() and not (folder / MANIFEST).is_file():
        raise DataError(f"{folder} is there and holds no ingested data; choose another folder")
    tables = _tables(ingested)
    try:
        with atomic_folder(folder) as part:
            sums: dict[str, str] = {}
            for name, table in tables.items():
                file = part / f"{name}.parquet"
                pyarrow.parquet.write_table(table, file, compression="zstd")
                sums[file.name] = sha256_file(file)
            fingerprint = _sum_of(sums)
            manifest = {
                "format": FORMAT,
                "fingerprint": fingerprint,
                "clock": ingested.interactions.clock,
                "context": list(ingested.interactions.context),
                "fields": ingested.catalogue.fields.model_dump(mode="json"),
                "report": ingested.report.to_dict(),
                "sha256": sums,
            }
            manifest[_OWN_SUM] = _sum_of(manifest)
            write_json(part / MANIFEST, manifest)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{folder} cannot be written: {error}") from error
    return fingerprint


def load_ingested(folder: Path, *, pictures: PictureStore | None = None) -> IngestedData:
    """Load what :func:`save_ingested` wrote.

    Args:
        folder: Where it is.
        pictures: Where the pictures are, as for :func:`recsys.ingestion.ingest`.

    Raises:
        DataError: The folder is not there, is of another format, or a file is not the one written.
    """
    manifest = _manifest(folder)
    tables = {name: _checked(folder / name, sum_) for name, sum_ in manifest["sha256"].items()}
    try:
        return _rebuild(
            manifest, {name.removesuffix(".parquet"): t for name, t in tables.items()}, pictures
        )
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise DataError(f"{folder / MANIFEST} does not fit its tables: {error}") from error


def _tables(ingested: IngestedData) -> dict[str, pa.Table]:
    log = ingested.interactions
    columns: dict[str, Any] = {
        "user": log.user,
        "item": log.item,
        "time": log.time,
        "weight": log.weight,
        "terms": log.terms,
    }
    columns |= {f"{_CONTEXT}{name}": rows for name, rows in log.context_rows.items()}
    values = {name: list(ids.index) for name, ids in log.context.items()}
    return {
        _LOG: pa.table(columns),
        _USERS: _texts(list(log.users.index)),
        _PHRASES: _texts(list(log.phrases)),
        _CATALOGUE: ingested.catalogue.table,
        **{f"{_CONTEXT}{number}": _texts(ids) for number, ids in enumerate(values.values())},
    }


def _texts(values: list[str]) -> pa.Table:
    return pa.table({"value": pa.array(values, pa.string())})


def _rebuild(
    manifest: dict[str, Any], tables: dict[str, pa.Table], pictures: PictureStore | None
) -> IngestedData:
    fields = parse_config(manifest["fields"], CatalogueFields)
    catalogue = Catalogue.of(tables[_CATALOGUE], fields, pictures)
    log = tables[_LOG]
    context = {
        name: IdMap.of(name, tables[f"{_CONTEXT}{number}"]["value"].to_pylist())
        for number, name in enumerate(manifest["context"])
    }
    interactions = Interactions.of(
        IdMap.of("user", tables[_USERS]["value"].to_pylist()),
        catalogue.ids,
        user=log["user"].to_numpy(),
        item=log["item"].to_numpy(),
        time=log["time"].to_numpy(),
        clock=manifest["clock"],
        weight=log["weight"].to_numpy(),
        phrases=tuple(tables[_PHRASES]["value"].to_pylist()),
        terms=log["terms"].to_numpy(),
        context=context,
        context_rows={name: log[f"{_CONTEXT}{name}"].to_numpy() for name in context},
    )
    return IngestedData(interactions, catalogue, IngestReport.from_dict(manifest["report"]))


def _manifest(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    try:
        manifest = read_json(file)
    except FileNotFoundError:
        raise DataError(
            f"{folder} holds no ingested data ({MANIFEST} is not there); ingest first"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read: {error}; ingest again") from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise DataError(f"{file} has the format {found!r}, expected {FORMAT}; ingest again")
    stated = manifest.pop(_OWN_SUM, None)
    if stated != _sum_of(manifest):
        raise DataError(f"{file} was changed: it does not have its own SHA-256; ingest again")
    return dict(manifest)


def _checked(file: Path, expected: str) -> pa.Table:
    try:
        found = sha256_file(file)
        if found != expected:
            raise DataError(
                f"{file} was changed or cut short: its SHA-256 is {found[:12]}..., the manifest "
                f"states {expected[:12]}...; ingest again"
            )
        return pyarrow.parquet.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file} cannot be read: {error}; ingest again") from error


def _sum_of(content: Mapping[str, Any]) -> str:
    return sha256_bytes(json.dumps(content, sort_keys=True).encode())
