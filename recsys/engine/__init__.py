"""The engine of a notebook: ``recsys.fit``, ``recsys.open`` and the class ``recsys.Engine``.

See ``docs/how-to/notebook.md``.
"""

from recsys.engine.engine import Engine, open_engine
from recsys.engine.fitting import fit

__all__ = ["Engine", "fit", "open_engine"]
