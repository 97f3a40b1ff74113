"""Store of a study's trials, and the proposal of the next one.

The only module that knows Optuna (Akiba et al., KDD 2019), which keeps the trials in one journal
(a line of JSON per event). The sampler of a trial is seeded by the study's seed and the trial's
number, so that a study that was killed proposes the same trials.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from recsys.errors import ConfigError
from recsys.tuning.config import HyperbandPruner, MedianPruner, StudyConfig, TpeSampler
from recsys.tuning.search_space import Option, SearchSpace

FILE = "study.log"
LEAST_TRIALS = 4
"""Least number of complete trials for which importance is computed."""
DRAWS = 64
"""Number of draws by the sampler, and then by chance, until one differs from all trials."""
State = Literal["complete", "pruned", "failed", "unfinished"]
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
        number: Number, from 1.
        state: State; an ``unfinished`` trial is continued with the study.
        drawn: Drawn values by key; of choices the label.
        figure: Best validation figure; None where there is none.
        epochs: Validation figure by epoch.
        seconds: Training time.
        reason: Reason of a failure; "" otherwise.
    """

    number: int
    state: State
    drawn: Mapping[str, Any]
    figure: float | None = None
    epochs: Mapping[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str = ""


class TrialStore:
    """A study's trials.

    Args:
        folder: Folder of ``study.log``; no other process may work in it.
        config: Configuration of the study.
        space: Its search space.
        longest: Number of epochs of the longest trial.

    Raises:
        ConfigError: The file is not a journal of Optuna.
    """

    def __init__(
        self, folder: Path, config: StudyConfig, space: SearchSpace, *, longest: int
    ) -> None:
        logging.getLogger("optuna").setLevel(logging.ERROR)
        self._config, self._space = config, space
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / FILE
        _repair(file)
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
                f"{file.name} in {folder} is not a readable study of Optuna ({error}); move it"
                " away, or start again with --again"
            ) from error

    @property
    def identity(self) -> dict[str, str]:
        """Fingerprints of what the study was started with; empty for a new study."""
        return dict(self._study.user_attrs.get("identity", {}))

    @identity.setter
    def identity(self, identity: Mapping[str, str]) -> None:
        self._study.set_user_attr("identity", dict(identity))

    @property
    def trials(self) -> list[Trial]:
        """All trials by number."""
        return [_trial(each) for each in self._study.get_trials(deepcopy=False)]

    def next(self, *, trials: int) -> Trial | None:
        """The unfinished trial, or a new one with values that no earlier one has.

        None after ``trials``, after all combinations, or if no draw was new. A space of no more
        combinations than ``trials`` is searched exhaustively.
        """
        known = self._study.get_trials(deepcopy=False)
        open_trials = [each for each in known if not each.state.is_finished()]
        number = open_trials[0].number if open_trials else len(known)
        if open_trials and open_trials[0].state == TrialState.RUNNING:
            trial = self._live(number)
        else:
            if not open_trials:
                drawn = self._untried(known, trials) if len(known) < trials else None
                if drawn is None:
                    return None
                self._study.enqueue_trial(drawn)
            trial = self._study.ask()
        self._space.draw(partial(_suggest, trial))
        return _trial(self._frozen(number))

    def report(self, trial: Trial, *, epoch: int, figure: float) -> None:
        """Store the validation figure of an epoch, unless it has one."""
        if epoch not in self._frozen(trial.number - 1).intermediate_values:
            self._live(trial.number - 1).report(figure, epoch)

    def set_seconds(self, trial: Trial, seconds: float) -> None:
        """Store the training time so far."""
        self._live(trial.number - 1).set_user_attr("seconds", round(seconds, 3))

    def should_prune(self, trial: Trial) -> bool:
        """Whether the pruner would stop the trial now."""
        return self._live(trial.number - 1).should_prune()

    def finish(
        self, trial: Trial, state: State, *, figure: float | None = None, reason: str = ""
    ) -> Trial:
        """Store the end of a trial."""
        live = self._live(trial.number - 1)
        for name, value in {"reason": reason, "figure": figure}.items():
            live.set_user_attr(name, value)
        ends = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
        end = ends.get(state, TrialState.FAIL)
        self._study.tell(live, figure if end == TrialState.COMPLETE else None, state=end)
        return _trial(self._frozen(trial.number - 1))

    def importance(self) -> dict[str, float]:
        """Share of the figures' variance per key, by functional ANOVA over a forest (Hutter et al.,
        ICML 2014); empty for too few trials. Keys that some trials lack are left out.
        """
        done = [each for each in self.trials if each.state == "complete"]
        if len(done) < LEAST_TRIALS or len({each.figure for each in done}) < 2:
            return {}
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=self._config.seed)
        found = optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        return {key: round(float(value), 6) for key, value in found.items()}

    def _untried(self, known: Sequence[FrozenTrial], trials: int) -> dict[str, Any] | None:
        """Drawn values that differ from those of all trials; None if there are none."""
        tried = {self._space.signature(each.params) for each in known}

        def first_new(draws: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
            return next((each for each in draws if self._space.signature(each) not in tried), None)

        if self._every is None:
            return first_new(self._draws(known))
        left = first_new(self._every)
        if left is None or len(self._every) <= trials:
            return left
        return first_new(self._draws(known)) or left

    @cached_property
    def _every(self) -> list[dict[str, Any]] | None:
        """All combinations in random order; None where there is no end of them."""
        combinations = self._space.combinations()
        if combinations is None:
            return None
        shuffled = list(combinations)
        random.Random(self._config.seed).shuffle(shuffled)
        return shuffled

    def _draws(self, known: Sequence[FrozenTrial]) -> Iterator[dict[str, Any]]:
        """Draws for one trial, in a copy of the study, so that only one of them is stored."""
        name, pruner = self._config.name, self._study.pruner
        copy = optuna.create_study(study_name=name, direction="maximize", pruner=pruner)
        copy.add_trials(known)
        for attempt in range(2 * DRAWS):
            copy.sampler = _sampler(self._config, len(known), attempt)
            trial = copy.ask()
            yield self._space.draw(partial(_suggest, trial))
            copy.tell(trial, state=TrialState.FAIL)

    def _live(self, number: int) -> optuna.Trial:
        study = self._storage.get_study_id_from_name(self._config.name)
        return optuna.Trial(
            self._study, self._storage.get_trial_id_from_study_id_trial_number(study, number)
        )

    def _frozen(self, number: int) -> FrozenTrial:
        return self._study.get_trials(deepcopy=False)[number]


def _repair(file: Path) -> None:
    """Remove the traces of a killed process: the journal's lock and an incomplete last line."""
    file.with_name(f"{file.name}.lock").unlink(missing_ok=True)
    if file.is_file():
        content = file.read_bytes()
        whole = content.rfind(b"\n") + 1
        if content[whole:].startswith(b"{"):
            os.truncate(file, whole)


def _trial(frozen: FrozenTrial) -> Trial:
    stored = frozen.user_attrs
    epochs = {int(epoch): float(value) for epoch, value in frozen.intermediate_values.items()}
    best = max(epochs.values(), default=None)
    figure = stored.get("figure")
    return Trial(
        number=frozen.number + 1,
        state=STATES[frozen.state],
        drawn=dict(frozen.params),
        figure=best if figure is None else float(figure),
        epochs=dict(sorted(epochs.items())),
        seconds=float(stored.get("seconds", 0.0)),
        reason=str(stored.get("reason", "")),
    )


def _suggest(trial: optuna.Trial, option: Option) -> Any:
    key, log, step = option.key, option.log, option.step
    if option.choices is not None:
        return trial.suggest_categorical(key, list(option.choices))
    if option.kind == "int":
        low, high = int(option.low), int(option.last)
        return trial.suggest_int(key, low, high, step=int(step or 1), log=log)
    return trial.suggest_float(key, option.low, option.last, step=step, log=log)


def _sampler(config: StudyConfig, number: int, attempt: int) -> optuna.samplers.BaseSampler:
    entropy = [config.seed, number, attempt] if attempt else [config.seed, number]
    seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
    if isinstance(config.sampler, TpeSampler) and attempt < DRAWS:
        return optuna.samplers.TPESampler(n_startup_trials=config.sampler.startup_trials, seed=seed)
    return optuna.samplers.RandomSampler(seed=seed)


def _pruner(config: StudyConfig, longest: int) -> optuna.pruners.BasePruner:
    chosen = config.pruner
    if isinstance(chosen, MedianPruner):
        return optuna.pruners.MedianPruner(
            n_startup_trials=chosen.startup_trials, n_warmup_steps=chosen.warmup_epochs
        )
    if isinstance(chosen, HyperbandPruner):
        return optuna.pruners.HyperbandPruner(
            min_resource=chosen.least_epochs,
            max_resource=max(longest, chosen.least_epochs),
            reduction_factor=chosen.reduction,
        )
    return optuna.pruners.NopPruner()
