"""The service's log lines."""

from __future__ import annotations

import json
import logging
import sys

from recsys_server.processes.logs import JsonFormatter


def test_a_record_is_one_line_of_json_with_its_traceback() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord(
            "recsys_server.x", logging.ERROR, "", 0, "failed %s", ("here",), sys.exc_info()
        )
    line = JsonFormatter().format(record)
    values = json.loads(line)
    assert "\n" not in line
    assert (values["level"], values["logger"], values["message"]) == (
        "error",
        "recsys_server.x",
        "failed here",
    )
    assert "ValueError: two\nlines" in values["error"]
    assert values["time"].endswith("+00:00")
