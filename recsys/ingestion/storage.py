"""Ingested data on disk: parquet tables, and a JSON file with their digests.

A folder is written atomically and checked when it is loaded. Of pictures only names are stored.
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
_COLUMNS = ("user", "item", "time", "weight", "terms")


def save_ingested(ingested: IngestedData, folder: Path) -> str:
    """Write ``folder``, or replace it if it holds ingested data.

    Returns:
        Fingerprint of the data: equal data have equal fingerprints.

    Raises:
        DataError: ``folder`` holds something else, or cannot be written.
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
    """Load data written by :func:`save_ingested`.

    Raises:
        DataError: The folder is missing, has another format, or a file is not the one written.
    """
    manifest = _manifest(folder)
    tables = {name: _checked(folder / name, sum_) for name, sum_ in manifest["sha256"].items()}
    try:
        return _rebuild(
            manifest, {name.removesuffix(".parquet"): t for name, t in tables.items()}, pictures
        )
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise DataError(f"{folder / MANIFEST} does not fit its tables: {error}") from error


def ingested_fingerprint(folder: Path) -> str:
    """Fingerprint that :func:`save_ingested` returned for the data in ``folder``.

    Raises:
        DataError: The folder holds no ingested data.
    """
    return str(_manifest(folder)["fingerprint"])


def _tables(ingested: IngestedData) -> dict[str, pa.Table]:
    log = ingested.interactions
    columns = {name: getattr(log, name) for name in _COLUMNS}
    columns |= {f"{_CONTEXT}{name}": rows for name, rows in log.context_rows.items()}
    texts = {_USERS: log.users.index, _PHRASES: log.phrases}
    texts |= {f"{_CONTEXT}{n}": ids.index for n, ids in enumerate(log.context.values())}
    return {
        _LOG: pa.table(columns),
        _CATALOGUE: ingested.catalogue.table,
        **{name: pa.table({"value": pa.array(each, pa.string())}) for name, each in texts.items()},
    }


def _rebuild(
    manifest: dict[str, Any], tables: dict[str, pa.Table], pictures: PictureStore | None
) -> IngestedData:
    fields = parse_config(manifest["fields"], CatalogueFields)
    catalogue = Catalogue.of(tables[_CATALOGUE], fields, pictures)
    log = tables[_LOG]
    context = {
        name: IdMap.of(name, _texts(tables[f"{_CONTEXT}{number}"]))
        for number, name in enumerate(manifest["context"])
    }
    interactions = Interactions.of(
        IdMap.of("user", _texts(tables[_USERS])),
        catalogue.ids,
        **{name: log[name].to_numpy() for name in _COLUMNS},
        clock=manifest["clock"],
        phrases=tuple(_texts(tables[_PHRASES])),
        context=context,
        context_rows={name: log[f"{_CONTEXT}{name}"].to_numpy() for name in context},
    )
    return IngestedData(interactions, catalogue, IngestReport.from_dict(manifest["report"]))


def _texts(table: pa.Table) -> list[str]:
    texts: list[str] = table["value"].to_pylist()
    return texts


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
