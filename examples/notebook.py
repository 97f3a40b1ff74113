"""The five jobs of a notebook on the sample data, as cells.

Open it in an editor that runs cells, convert it with ``jupytext --to notebook``, or run ``python
examples/notebook.py``. The sample data (data/README.md) are a synthetic pin board.
"""

# %% The data: an interaction log and a catalogue
from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd

import recsys

SAMPLE = Path(__file__).parents[1] / "data/sample"
interactions = pd.read_parquet(SAMPLE / "interactions.parquet")
items = pd.read_csv(SAMPLE / "items.csv")

# %% 1. Fit. The columns are recognised, the settings chosen from the data
engine = recsys.fit(interactions, items, pictures=SAMPLE / "pictures.zip")
print(engine)

# %% 2. Recommend, to some users or to all
print(engine.recommend(users=["u0001", "u0002"], k=3))
everyone = engine.recommend(k=10)

# %% 3. Find similar items, and search by words and pictures
print(engine.similar(items=["i0004"], k=3, titles=True))
print(engine.search("wooden table", k=3, titles=True))
with zipfile.ZipFile(SAMPLE / "pictures.zip") as pictures:
    print(engine.search(image=pictures.read("i0704.png"), k=3, titles=True))

# %% 4. Evaluate on held-out interactions, next to the baselines
report = engine.evaluate()
print(report)

# %% 5. Publish a bundle for the service, and open it elsewhere
engine.publish("runs/notebook/bundles")
print(recsys.open("runs/notebook/bundles").recommend(users="u0001", k=3))
