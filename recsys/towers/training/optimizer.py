"""Adam with sparse updates, and the schedule of its learning rate."""

from __future__ import annotations

import math
from typing import Any

from recsys._tf import tf, tf_keras
from recsys.towers.config import TrainConfig


def build_optimizer(train: TrainConfig, steps: int) -> Any:
    """The optimizer of a training of ``steps`` steps."""
    return LazyAdam(
        _Rate(train, steps),
        decay=train.weight_decay,
        beta_2=train.beta_2,
        global_clipnorm=train.clip_norm,
        jit_compile=False,
    )


class LazyAdam(tf_keras.optimizers.Adam):  # type: ignore[misc]
    """Adam (Kingma & Ba 2015), which updates only the rows of a table that a step read.

    With g the gradient of a row, m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2 and
    row -= rate m' / (sqrt(v') + e). A row without a gradient keeps its m, v and value, where Adam
    would update the whole table, so that the cost of a step does not depend on the table; where
    each step reads every row (full softmax) it equals Adam. Updated rows also lose the share
    ``rate * decay`` of themselves (AdamW, Loshchilov & Hutter 2019).
    """

    def __init__(self, learning_rate: Any, *, decay: float = 0.0, **options: Any) -> None:
        super().__init__(learning_rate, name="lazy_adam", **options)
        self._decay = decay

    def update_step(self, gradient: Any, variable: Any) -> None:
        """Update one variable; Keras makes the rows of a sparse gradient unique."""
        if not isinstance(gradient, tf.IndexedSlices):
            if self._decay:
                variable.assign_sub(self.learning_rate * self._decay * variable)
            super().update_step(gradient, variable)
            return
        rows, values = gradient.indices, gradient.values
        at = self._index_dict[self._var_key(variable)]
        moments = self._momentums[at], self._velocities[at]
        m = self.beta_1 * tf.gather(moments[0], rows) + (1 - self.beta_1) * values
        v = self.beta_2 * tf.gather(moments[1], rows) + (1 - self.beta_2) * tf.square(values)
        for moment, value in zip(moments, (m, v)):
            moment.scatter_update(tf.IndexedSlices(value, rows))
        step = tf.cast(self.iterations + 1, variable.dtype)
        scale = tf.sqrt(1 - tf.pow(self.beta_2, step)) / (1 - tf.pow(self.beta_1, step))
        change = scale * m / (tf.sqrt(v) + self.epsilon)
        if self._decay:
            change += self._decay * tf.gather(variable, rows)
        rate = tf.cast(self.learning_rate, variable.dtype)
        variable.scatter_sub(tf.IndexedSlices(rate * change, rows))


class _Rate(tf_keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Linear warm-up, then constant, or linear or cosine decay to a hundredth."""

    def __init__(self, train: TrainConfig, steps: int) -> None:
        self._train = train
        self._steps = max(steps, train.warmup_steps + 1)

    def __call__(self, step: Any) -> Any:
        step = tf.cast(step, tf.float32)
        rate = tf.minimum(1.0, (step + 1) / max(self._train.warmup_steps, 1))
        over = self._steps - self._train.warmup_steps
        share = tf.clip_by_value((step - self._train.warmup_steps) / over, 0.0, 1.0)
        if self._train.decay == "cosine":
            rate *= 0.01 + 0.99 * 0.5 * (1 + tf.cos(math.pi * share))
        elif self._train.decay == "linear":
            rate *= 1 - 0.99 * share
        return self._train.learning_rate * rate

    def get_config(self) -> dict[str, Any]:
        return {"train": self._train.model_dump(mode="json"), "steps": self._steps}
