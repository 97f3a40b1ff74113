"""The report that was published with a bundle."""

from __future__ import annotations

from pathlib import Path

from recsys.bundle.disk_errors import reading
from recsys.bundle.manifest import REPORT, Manifest, read_named
from recsys.bundle.versions import CURRENT, find_version, folder_of
from recsys.errors import BundleError, NotFoundError
from recsys.evaluation.published import PublishedReport
from recsys.files import sha256_file


def read_report(root: Path, version: str = CURRENT) -> tuple[Manifest, PublishedReport]:
    """The manifest and the report of a bundle; its other files are not read.

    Args:
        root: Folder of bundles.
        version: Name of the bundle.

    Raises:
        NotFoundError: The bundle does not exist, or has no report.
        BundleError: The report differs from the manifest.
    """
    name = find_version(root, version)
    folder = folder_of(root, name)
    with reading(folder):
        manifest = read_named(folder)
        if not manifest.report_files:
            raise NotFoundError(
                f"the bundle {name} has no report of an evaluation: an earlier version published "
                "it, or it was not made by a run; 'recsys publish CONFIG' publishes it with one",
                field="version",
            )
        for path, entry in manifest.report_files.items():
            if sha256_file(folder / path) != entry.sha256:
                raise BundleError(f"{folder}: '{path}' was changed; publish again, or roll back")
        return manifest, PublishedReport.load(folder / REPORT)
