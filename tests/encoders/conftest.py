"""Where the public data sets are, for tests marked ``realdata``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    home = os.environ.get("RECSYS_DATA_HOME")
    if not home or not Path(home).is_dir():
        pytest.skip("RECSYS_DATA_HOME does not name a folder with the public data sets")
    return Path(home)
