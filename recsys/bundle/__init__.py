"""Bundles: everything that answers queries, as one versioned, checksummed folder.

Published whole or not at all, verified when opened, listed, rolled back. The layout on disk is
known only in here and described in ``docs/bundle-format.md``.
"""

from recsys.bundle.manifest import Manifest
from recsys.bundle.opening import Bundle, open_bundle, verify
from recsys.bundle.parts import Parts
from recsys.bundle.probes import Probe
from recsys.bundle.publishing import publish
from recsys.bundle.versions import BundleInfo, list_bundles, prune, rollback

__all__ = [
    "Bundle",
    "BundleInfo",
    "Manifest",
    "Parts",
    "Probe",
    "list_bundles",
    "open_bundle",
    "prune",
    "publish",
    "rollback",
    "verify",
]
