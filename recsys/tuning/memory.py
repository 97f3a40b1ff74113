"""What was tried, kept by Optuna in one journal (a line of JSON for each thing that happened), and
what to try next.

The only module that knows Optuna (Akiba et al., KDD 2019). A trial's number is drawn with a sampler
seeded by the study's seed and that number, so that a study which was killed proposes what it would
have proposed.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from recsys.errors import ConfigError
from recsys.tuning.config import HyperbandPruner, MedianPruner, StudyConfig, TpeSampler
from recsys.tuning.space import Option, Space

FILE = "study.log"
ENOUGH = 4
"""Trials without which no importance is worth computing."""
State = Literal["complete", "pruned", "failed", "repeated", "unfinished"]
STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "unfinished",
    TrialState.WAITING: "unfinished",
}


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes:
        number: From 1.
        state: How it ended; ``repeated`` is one whose values an earlier trial had, and
            ``unfinished`` one that goes on when the study does.
        drawn: What was drawn, by key; of choices the label.
        figure: The best validation figure; None where there is none.
        epochs: The validation figure by epoch.
        seconds: Of its training.
        reason: Why it failed, or which trial it repeats; "" otherwise.
    """

    number: int
    state: State
    drawn: Mapping[str, Any]
    figure: float | None = None
    epochs: Mapping[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str = ""


class Memory:
    """A study's trials.

    Args:
        folder: Where ``study.log`` is, or will be; nobody else may be at work there.
        config: The study.
        space: Its options.
        longest: Epochs of the longest trial.

    Raises:
        ConfigError: The file is not one of Optuna's.
    """

    def __init__(self, folder: Path, config: StudyConfig, space: Space, *, longest: int) -> None:
        logging.getLogger("optuna").setLevel(logging.ERROR)
        self._config, self._space = config, space
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / FILE
        _mend(file)
        try:
            lock = JournalFileOpenLock(str(file))
            self._storage = optuna.storages.JournalStorage(JournalFileBackend(str(file), lock))
            self._study = optuna.create_study(
                storage=self._storage,
                study_name=config.name,
                direction="maximize",
                pruner=_pruner(config, longest),
                load_if_exists=True,
            )
        except Exception as error:
            raise ConfigError(
                f"{file.name} in {folder} is no study of Optuna's that can be read ({error}); move"
                " it away, or begin anew with --again"
            ) from error

    @property
    def identity(self) -> dict[str, str]:
        """What the study was begun with, by part; empty where it is new."""
        return dict(self._study.user_attrs.get("identity", {}))

    def begin(self, identity: Mapping[str, str]) -> None:
        """Note what the study is begun with."""
        self._study.set_user_attr("identity", dict(identity))

    @property
    def trials(self) -> list[Trial]:
        """All trials, by number."""
        return [_told(each) for each in self._study.get_trials(deepcopy=False)]

    def next(self, *, trials: int) -> Trial | None:
        """The trial that was left unfinished, or a new one; None where there are ``trials``
        already, or where all combinations were tried.

        A space of no more combinations than ``trials`` is tried whole, each once.
        """
        known = self._study.get_trials(deepcopy=False)
        open_trials = [each for each in known if not each.state.is_finished()]
        number = open_trials[0].number if open_trials else len(known)
        self._study.sampler = _sampler(self._config, number)
        if open_trials and open_trials[0].state == TrialState.RUNNING:
            trial = self._at(number)
        else:
            if not open_trials and (len(known) >= trials or not self._enqueued(known, trials)):
                return None
            trial = self._study.ask()
        self._space.drawn(lambda option: _suggested(trial, option))
        return _told(self._frozen(number))

    def earlier(self, trial: Trial) -> Trial | None:
        """The first trial with the same values, where it has ended."""
        wanted = self._space.chosen(trial.drawn)
        for each in self.trials[: trial.number - 1]:
            if each.state != "unfinished" and self._space.chosen(each.drawn) == wanted:
                return each
        return None

    def tell(self, trial: Trial, *, epoch: int, figure: float) -> None:
        """Keep the validation figure of an epoch; one that is there already stays."""
        if epoch not in self._frozen(trial.number - 1).intermediate_values:
            self._at(trial.number - 1).report(figure, epoch)

    def spent(self, trial: Trial, seconds: float) -> None:
        """Keep how long the trial took so far."""
        self._at(trial.number - 1).set_user_attr("seconds", round(seconds, 3))

    def hopeless(self, trial: Trial) -> bool:
        """Whether the pruner would stop the trial now."""
        return self._at(trial.number - 1).should_prune()

    def finish(
        self,
        trial: Trial,
        state: State,
        *,
        figure: float | None = None,
        reason: str = "",
    ) -> Trial:
        """Keep how the trial ended."""
        asked = self._at(trial.number - 1)
        for name, value in {
            "reason": reason,
            "figure": figure,
            "repeated": state == "repeated",
        }.items():
            asked.set_user_attr(name, value)
        ends = {"complete": TrialState.COMPLETE, "repeated": TrialState.COMPLETE}
        end = ends.get(state, TrialState.PRUNED if state == "pruned" else TrialState.FAIL)
        self._study.tell(asked, figure if end == TrialState.COMPLETE else None, state=end)
        return _told(self._frozen(trial.number - 1))

    def importance(self) -> dict[str, float]:
        """How much of the figures' variance each key explains, by functional ANOVA over a forest
        (Hutter et al., ICML 2014); empty where too few trials say too little.

        Keys that not every trial has are left out.
        """
        done = [each for each in self.trials if each.state == "complete"]
        if len(done) < ENOUGH or len({each.figure for each in done}) < 2:
            return {}
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=self._config.seed)
        found = optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        return {key: round(float(value), 6) for key, value in found.items()}

    def _enqueued(self, known: list[FrozenTrial], trials: int) -> bool:
        """Where the space is tried whole, the next combination waits; False where none is left."""
        every = self._space.combinations()
        left = None if every is None else list(every)
        if left is None or len(left) > trials:
            return True
        tried = [self._space.chosen(each.params) for each in known]
        random.Random(self._config.seed).shuffle(left)
        waiting = (each for each in left if self._space.chosen(each) not in tried)
        chosen = next(waiting, None)
        if chosen is not None:
            self._study.enqueue_trial(chosen)
        return chosen is not None

    def _at(self, number: int) -> optuna.Trial:
        study = self._storage.get_study_id_from_name(self._config.name)
        return optuna.Trial(
            self._study, self._storage.get_trial_id_from_study_id_trial_number(study, number)
        )

    def _frozen(self, number: int) -> FrozenTrial:
        return self._study.get_trials(deepcopy=False)[number]


def _mend(file: Path) -> None:
    """Take away what a killed process leaves: the journal's lock, and a line that is half there."""
    file.with_name(f"{file.name}.lock").unlink(missing_ok=True)
    if file.is_file():
        content = file.read_bytes()
        whole = content.rfind(b"\n") + 1
        if content[whole:].startswith(b"{"):
            os.truncate(file, whole)


def _told(trial: FrozenTrial) -> Trial:
    kept = trial.user_attrs
    epochs = {int(epoch): float(value) for epoch, value in trial.intermediate_values.items()}
    best = max(epochs.values(), default=None)
    figure = kept.get("figure")
    return Trial(
        number=trial.number + 1,
        state="repeated" if kept.get("repeated") else STATES[trial.state],
        drawn=dict(trial.params),
        figure=best if figure is None else float(figure),
        epochs=dict(sorted(epochs.items())),
        seconds=float(kept.get("seconds", 0.0)),
        reason=str(kept.get("reason", "")),
    )


def _suggested(trial: optuna.Trial, option: Option) -> Any:
    distribution = _distribution(option)
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(option.key, distribution.choices)
    if isinstance(distribution, IntDistribution):
        low, high, step = distribution.low, distribution.high, distribution.step
        return trial.suggest_int(option.key, low, high, step=step, log=option.log)
    return trial.suggest_float(
        option.key, option.low, option.last, step=option.step, log=option.log
    )


def _distribution(option: Option) -> BaseDistribution:
    if option.choices is not None:
        return CategoricalDistribution(list(option.choices))
    if option.kind == "int":
        low, high = int(option.low), int(option.last)
        return IntDistribution(low, high, log=option.log, step=int(option.step or 1))
    return FloatDistribution(option.low, option.last, log=option.log, step=option.step)


def _sampler(config: StudyConfig, number: int) -> optuna.samplers.BaseSampler:
    seed = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
    if isinstance(config.sampler, TpeSampler):
        return optuna.samplers.TPESampler(n_startup_trials=config.sampler.startup_trials, seed=seed)
    return optuna.samplers.RandomSampler(seed=seed)


def _pruner(config: StudyConfig, longest: int) -> optuna.pruners.BasePruner:
    asked = config.pruner
    if isinstance(asked, MedianPruner):
        return optuna.pruners.MedianPruner(
            n_startup_trials=asked.startup_trials, n_warmup_steps=asked.warmup_epochs
        )
    if isinstance(asked, HyperbandPruner):
        return optuna.pruners.HyperbandPruner(
            min_resource=asked.least_epochs,
            max_resource=max(longest, asked.least_epochs),
            reduction_factor=asked.reduction,
        )
    return optuna.pruners.NopPruner()
