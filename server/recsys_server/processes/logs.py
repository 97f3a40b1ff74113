"""The service's log on standard error, as text or as one JSON object per line."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

from pythonjsonlogger import json


class JsonFormatter(json.JsonFormatter):
    """JSON lines with level, logger, message, time (UTC), extra fields and, if any, the traceback.

    Example:
        >>> record = logging.LogRecord("server", logging.INFO, "", 0, "ready", None, None)
        >>> JsonFormatter().format(record)[:60]
        '{"level": "info", "logger": "server", "message": "ready", "t'
    """

    def __init__(self) -> None:
        names = {"levelname": "level", "name": "logger", "exc_info": "error"}
        fields = ["levelname", "name", "message"]
        super().__init__(fields, rename_fields=names, timestamp="time", json_ensure_ascii=False)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Fields of a record, with the level in lower case."""
        return log_data | {"level": log_data["level"].lower()}


def log_to_stderr(style: Literal["text", "json"]) -> None:
    """Send every log record from INFO upwards to standard error."""
    target = logging.StreamHandler(sys.stderr)
    target.setFormatter(
        JsonFormatter()
        if style == "json"
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=logging.INFO, handlers=[target], force=True)
