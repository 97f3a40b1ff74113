"""Off-policy estimates on the small sample of the Open Bandit Dataset, next to published figures.

The sample (Saito et al., 2021; CC BY 4.0) is 10,000 clicks and no-clicks of a shop that chose three
of 80 products at random. The estimated policy is the shop's Thompson sampling. The published
figures are those of ``examples/quickstart/obd.ipynb`` in github.com/st-tech/zr-obp.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.preprocessing import LabelEncoder

from recsys.evaluation.off_policy import Estimate, LoggedFeedback, PredictedRewards, estimate

ARCHIVE = "obp-0.5.7.tar.gz"
PUBLISHED = {
    "ips": (0.004553, 0.001531, 0.009254),
    "dm": (0.003399, 0.003351, 0.003447),
    "dr": (0.004647, 0.001621, 0.009321),
}
"""Value and 95% bootstrap interval by method."""
SEED, PRODUCTS, SLOTS = 12345, 80, 3


def read(archive: Path) -> LoggedFeedback:
    """The random policy's log, with the probabilities of the shop's Thompson sampling."""
    with tarfile.open(archive) as files:
        root = ARCHIVE.removesuffix(".tar.gz")
        folder = f"{root}/obp/dataset/obd/random/all"
        log = pd.read_csv(files.extractfile(f"{folder}/all.csv"), index_col=0)
        products = pd.read_csv(files.extractfile(f"{folder}/item_context.csv"), index_col=0)
        priors = files.extractfile(f"{root}/obp/policy/conf/prior_bts.yaml").read().decode()
    log = log.sort_values("timestamp")
    slot = (log.position - log.position.min()).to_numpy()
    policy = thompson_sampling(*prior(priors))
    predicted = cross_fitted(log, products, slot)
    item = log.item_id.to_numpy()
    return LoggedFeedback(
        rewards=log.click.to_numpy(np.float64),
        propensities=log.propensity_score.to_numpy(np.float64),
        target=policy[item, slot],
        predicted=PredictedRewards(
            logged=predicted[np.arange(len(log)), item],
            target=(predicted * policy.T[slot]).sum(axis=1),
        ),
    )


def prior(text: str) -> tuple[np.ndarray, np.ndarray]:
    """The two parameters of each product in the campaign "all"."""
    campaign = re.split(r"^\w+:\n", text, flags=re.MULTILINE)[1]
    alpha, beta = campaign.split("beta:")
    one, other = (np.array(re.findall(r"- ([\d.]+)", part), np.float64) for part in (alpha, beta))
    assert len(one) == len(other) == PRODUCTS
    return one, other


def thompson_sampling(alpha: np.ndarray, beta: np.ndarray, draws: int = 100_000) -> np.ndarray:
    """Share of draws in which each product has the first, second, third highest rate, [80, 3]."""
    rates = np.random.RandomState(SEED).beta(alpha, beta, size=(draws, PRODUCTS))
    best = rates.argsort(axis=1)[:, ::-1][:, :SLOTS]
    counts = [np.bincount(best[:, slot], minlength=PRODUCTS) for slot in range(SLOTS)]
    return np.stack(counts, axis=1) / draws


def cross_fitted(log: pd.DataFrame, products: pd.DataFrame, slot: np.ndarray) -> np.ndarray:
    """Clicks predicted by a logistic regression per slot, in three folds, float64 [n, 80]."""
    users = log.loc[:, log.columns.str.contains("user_feature")]
    context = pd.get_dummies(users, drop_first=True).to_numpy(np.float64)
    categories = products.drop(columns="item_feature_0")  # as published, with item_id
    categories = categories.apply(LabelEncoder().fit_transform)
    of_product = np.c_[categories.to_numpy(), products.item_feature_0.to_numpy()]
    found = np.zeros((len(log), PRODUCTS))
    item, click = log.item_id.to_numpy(), log.click.to_numpy()
    for train, test in KFold(3, shuffle=True, random_state=SEED).split(context):
        for each in range(SLOTS):
            rows, held = train[slot[train] == each], test[slot[test] == each]
            model = LogisticRegression(random_state=SEED)
            with warnings.catch_warnings():  # as published, it may stop before it converges
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(np.c_[context[rows], of_product[item[rows]]], click[rows])
            # The score is a sum over users' and products' features.
            size = context.shape[1]
            scores = (context[held] @ model.coef_[0, :size])[:, None] + (
                of_product @ model.coef_[0, size:]
            )
            found[held] = 1 / (1 + np.exp(-(scores + model.intercept_[0])))
    return found


def gaps(found: dict[str, Estimate]) -> dict[str, float]:
    """Difference from the published value, as a share of it."""
    return {name: abs(found[name].value / value[0] - 1) for name, value in PUBLISHED.items()}


def figures(archive: Path) -> dict[str, Any]:
    """Estimates, intervals and gaps."""
    found = estimate(read(archive), resamples=10_000, seed=SEED)
    return {
        "figures": {"ope.max_gap": max(gaps(found).values())},
        "methods": {
            name: {
                "value": each.value,
                "interval": list(each.interval),
                "published": PUBLISHED.get(name),
            }
            for name, each in found.items()
        },
        "effective_records": found["ips"].effective,
    }


def measure(_: Path, work: Path) -> dict[str, Any]:
    """The figures, of the archive in the work folder; pip downloads it once."""
    folder = work / "open-bandit"
    if not (folder / ARCHIVE).is_file():
        options = ("--no-deps", "--no-binary", ":all:", "--ignore-requires-python")
        command = (
            sys.executable,
            "-m",
            "pip",
            "download",
            *options,
            "-d",
            str(folder),
            "obp==0.5.7",
        )
        subprocess.run(command, check=True)
    return figures(folder / ARCHIVE)
