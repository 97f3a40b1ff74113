"""The audit of the recall: a sample of the searches is answered exactly as well, in a thread."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydantic import Field

from recsys.config import Config

if TYPE_CHECKING:
    from recsys.index.audit import RecallAudit

_log = logging.getLogger(__name__)


class Audit(Config):
    """The audit of the recall of a service.

    Attributes:
        share: Share of the searches that are answered exactly as well, after the call; 0 for none.
            An exact search reads every vector.
        window: Number of the newest samples in a figure, per space and kind of search.
        target: Recall to compare with; by default the one that the index was tuned to.
        tolerance: Distance below the target from which the log and
            ``recsys_recall_drifting`` report a drift.
        at_least: Number of samples below which no drift is reported.

    Example:
        >>> Audit(share=0.001).window
        500
    """

    share: float = Field(0.0, ge=0, le=1)
    window: int = Field(500, ge=1)
    target: float | None = Field(None, gt=0, le=1)
    tolerance: float = Field(0.01, ge=0, lt=1)
    at_least: int = Field(100, ge=1)

    def begin(self, version: str) -> RecallAudit | None:
        """The audit of a bundle, whose owner closes it; None for a share of 0.

        A drift is logged as a warning that states the figures and what to do.
        """
        if not self.share:
            return None
        from recsys.index.audit import AuditConfig, Drift, RecallAudit  # 70 MB of libraries

        def warn(drift: Drift) -> None:
            figure = drift.figure
            shown = {
                "bundle": version,
                "space": figure.label,
                "kind": figure.kind,
                "recall": round(figure.recall, 4),
                "target": figure.target,
            }
            _log.warning("bundle %s: %s", version, drift.message, extra=shown)

        values = self.model_dump(exclude_none=True)  # without a target: that of the index
        return RecallAudit(AuditConfig.model_validate(values), on_drift=warn)
