"""Training InFOM: on data without rewards, then on the few ticks that have them."""

from __future__ import annotations

import time

import jax
import numpy as np

from chunkenv.agents.common.checkpoint_file import Facts
from chunkenv.agents.common.optim import renew_bases
from chunkenv.agents.infom import InFOM, InFOMSettings
from chunkenv.data import Dataset
from chunkenv.errors import ArgumentError
from chunkenv.training.metrics import Metrics
from chunkenv.training.offline_online import ROUND, OfflineOnlineTraining, TrainingConfig, replay_dataset
from chunkenv.utils.checks import whole_number


class InFOMTraining(OfflineOnlineTraining):
    """The training of one agent in two phases; it depends on configuration, settings, data and seed, and nothing else.

    The second phase is the offline one of `OfflineOnlineTraining`.

    Args:
        config: what to do; its offline steps are those of both phases, and nothing is learned online.
        pretraining: updates of the first phase; 0 for an agent that learns from labelled ticks alone.
        settings: of the agent.
        unlabelled: for the first phase, whose rewards are not looked at; None if there is none.
        labelled: for the second phase.
        seed: of everything, at least 0.

    Raises:
        ArgumentError: an invalid environment, dataset, number of updates or seed.
    """

    kind = "chunkenv InFOM training"

    def __init__(
        self,
        config: TrainingConfig,
        pretraining: int,
        settings: InFOMSettings,
        unlabelled: Dataset | None,
        labelled: Dataset | None,
        seed: int,
    ) -> None:
        self._pretraining = whole_number("pretraining", pretraining, at_least=0, at_most=config.offline_steps)
        if pretraining and unlabelled is None:
            raise ArgumentError(f"pretraining={pretraining} needs data; give some, or pretraining=0.")
        if pretraining < config.offline_steps and (labelled is None or not len(labelled)):
            raise ArgumentError("There is no labelled tick to fine-tune on; give at least one episode with rewards.")
        super().__init__(config, InFOM.name, settings, labelled or unlabelled, seed)
        first = unlabelled or labelled
        assert first is not None
        replay = replay_dataset(first, self._env)
        self._unlabelled = self._learner.experience(replay)
        self._checksums = [float(np.sum(column, dtype=np.float64)) for column in (replay.observations, replay.actions)]
        self.agent = self._learner.scaled_to(replay.observations)

    @property
    def identity(self) -> Facts:
        """As `OfflineOnlineTraining.identity`, with the first phase."""
        return {**super().identity, "pretraining": {"updates": self._pretraining, "data": self._checksums}}

    def advance(self) -> Metrics:
        """Make up to 100 updates of a phase."""
        if self.updates >= self._pretraining:
            return super().advance()
        start = time.perf_counter()
        count = min(ROUND, self._pretraining - self.updates)
        found = jax.device_get([self._pretrain() for _ in range(count)])
        self.agent = renew_bases(self.agent)
        if self.updates == self._pretraining:
            self.agent = self._learner.begin_finetuning()
        self.seconds += time.perf_counter() - start
        means = {name: float(np.mean([each[name] for each in found])) for name in found[0]}
        return {"steps": self.steps, **means, "seconds": self.seconds}

    def evaluate(self) -> Metrics:
        """As `OfflineOnlineTraining.evaluate`; nothing is played in the first phase, whose agent knows no reward."""
        return super().evaluate() if self.updates > self._pretraining else {}

    @property
    def _learner(self) -> InFOM:
        assert isinstance(self.agent, InFOM)
        return self.agent

    def _pretrain(self) -> dict[str, jax.Array]:
        rng, settings = np.random.default_rng([self._seed, 0, self.updates]), self.agent.settings
        self.agent, info = self._learner.pretrain(self._unlabelled.sample(rng, settings.batch, settings.horizons))
        self.updates += 1
        return info
