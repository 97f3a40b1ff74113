"""A two-tower retrieval engine: from an interaction log and a catalogue to candidates.

:func:`fit` trains an :class:`Engine` on DataFrames, and :func:`open` opens a published bundle.
Importing this package loads neither TensorFlow nor ScaNN; the parts that need them do so when they
are used. See ``docs/explanation/concepts.md`` for the words used throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recsys.version import __version__

if TYPE_CHECKING:
    from recsys.engine import Engine, fit
    from recsys.engine import open_engine as open

__all__ = ["Engine", "__version__", "fit", "open"]


def __getattr__(name: str) -> Any:
    """``Engine``, ``fit`` and ``open``, imported when they are first used."""
    if name not in __all__:
        raise AttributeError(f"module 'recsys' has no attribute '{name}'")
    from recsys import engine

    return engine.open_engine if name == "open" else getattr(engine, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
