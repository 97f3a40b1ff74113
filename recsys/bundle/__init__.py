"""Bundles: everything that answers queries, as one versioned, checksummed folder.

Published whole or not at all, verified when opened, listed, rolled back. Only this package knows
the layout on disk, which ``docs/reference/bundle-format.md`` describes.
"""

from recsys.bundle.activations import previous_version, rollback
from recsys.bundle.canary import Canary, pointers_state, read_canary, set_canary
from recsys.bundle.manifest import Manifest
from recsys.bundle.opening import Bundle, open_bundle, verify
from recsys.bundle.parts import Parts
from recsys.bundle.publishing import publish
from recsys.bundle.reference_queries import ReferenceQuery
from recsys.bundle.refreshing import RefreshReport, refresh
from recsys.bundle.reports import read_report
from recsys.bundle.versions import BundleInfo, current_fault, list_bundles, prune

__all__ = [
    "Bundle",
    "BundleInfo",
    "Canary",
    "Manifest",
    "Parts",
    "ReferenceQuery",
    "RefreshReport",
    "current_fault",
    "list_bundles",
    "open_bundle",
    "pointers_state",
    "previous_version",
    "prune",
    "publish",
    "refresh",
    "read_canary",
    "read_report",
    "rollback",
    "set_canary",
    "verify",
]
