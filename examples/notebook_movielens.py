"""The five jobs of a notebook on MovieLens-1M, as cells; see ``examples/notebook.py``.

``RECSYS_DATA_HOME`` names a folder with ``movielens-1m/sequences.parquet`` (user_id, item_id,
position) and ``movielens-1m/items.parquet`` (item_id, title, genres, plot, ...).
"""

# %% The data: each user's films in time order, and what they are about
from __future__ import annotations

import pandas as pd

import recsys
from recsys.formats import locate

DATA = locate("movielens-1m", download="never")
interactions = pd.read_parquet(DATA / "sequences.parquet")
films = pd.read_parquet(DATA / "items.parquet")

# %% 1. Fit. Ids are integers here, and in all answers
engine = recsys.fit(interactions, films, name="films")
print(engine)

# %% 2. Recommend to all users at once
recommended = engine.recommend(k=10, titles=True)
print(recommended.groupby("title").size().nlargest(5))

# %% 3. Find similar films, and search for some
print(engine.similar(items=[1], k=5, titles=True))
print(engine.search("space war", k=5, titles=True))

# %% 4. Evaluate
print(engine.evaluate())

# %% 5. Publish, and open again
engine.publish("runs/films/bundles")
print(recsys.open("runs/films/bundles"))
