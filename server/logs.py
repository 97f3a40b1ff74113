"""Where the service's log goes: standard error, as text or as one JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone
from typing import Literal


class JsonFormatter(logging.Formatter):
    """One JSON object a record: time (UTC), level, logger, message and, if any, the traceback.

    Example:
        >>> record = logging.LogRecord("server", logging.INFO, "", 0, "ready", None, None)
        >>> json.loads(JsonFormatter().format(record))["message"]
        'ready'
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON text without line breaks."""
        values = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            values["error"] = self.formatException(record.exc_info)
        return json.dumps(values, ensure_ascii=False)


def log_to_stderr(style: Literal["text", "json"]) -> None:
    """Send every log record from INFO upwards to standard error."""
    target = logging.StreamHandler(sys.stderr)
    target.setFormatter(
        JsonFormatter()
        if style == "json"
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=logging.INFO, handlers=[target], force=True)
