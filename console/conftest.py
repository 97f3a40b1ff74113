"""Examples of the console run where FastAPI is installed; it needs Python 3.11."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("fastapi") else ["*"]
