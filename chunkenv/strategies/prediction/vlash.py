"""VLASH: the robot's own state is rolled forward through the prefix, and the policy has learned to be asked so.

Tang et al. 2025, arXiv 2512.01031: a policy is trained with the robot's state of some ticks later beside the scene of
now, and with the chunk that begins then.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chunkenv.errors import ArgumentError, brief
from chunkenv.request import Policy
from chunkenv.strategies.prediction.predicted_state import PredictedState, WorldModel, check_model


class RobotAhead:
    """A model that predicts the robot only: everything else is observed as it is now.

    Args:
        model: predicts all of it; with a prefix of length 0 it gives the present observations.
        robot: bool[O], which numbers of the policy's observation belong to the robot.

    Raises:
        ArgumentError: the model cannot predict, or `robot` is no such list.
    """

    def __init__(self, model: WorldModel, robot: ArrayLike) -> None:
        self._model, self._robot = check_model(model, "VLASH"), np.asarray(robot)
        if self._robot.ndim != 1 or self._robot.dtype != np.bool_:
            raise ArgumentError(
                f"robot={brief(robot)} does not say what belongs to the robot; give a bool for each number of the "
                "policy's observation, as chunkenv.kinetix.robot_features(level) does."
            )

    def predict(self, observations: np.ndarray, prefix: np.ndarray, prefix_length: NDArray[np.int64]) -> np.ndarray:
        """The robot as it will be, and the rest as it is, [N, O].

        Raises:
            ArgumentError: the observations have another size than `robot`.
        """
        ahead = np.asarray(self._model.predict(observations, prefix, prefix_length))
        present = np.asarray(self._model.predict(observations, prefix, np.zeros_like(prefix_length)))
        if present.shape[1:] != self._robot.shape:
            raise ArgumentError(
                f"robot has {len(self._robot)} numbers, but observations have shape {present.shape[1:]}; give one "
                "bool for each number."
            )
        return np.where(self._robot, ahead, present)


class VLASH(PredictedState):
    """`PredictedState` for the robot alone: the policy sees the robot behind the prefix, in the scene of now.

    The policy is to be trained so (`chunkenv train flow --future-offsets`), and is not told how far ahead the robot is.
    In Kinetix the robot is the bodies that move and are neither green, blue nor red, and what rolls it forward is the
    engine, which knows what the robot will hit. That is how it was re-made in Kinetix by others
    (boss-server-ops/deflectrobust: 89.3, 87.7, 85.5 and 81.9 % at delays of 1 to 4 ticks); the authors' own figures are
    for such a part of the observation, too (5 to 23 % of it: mit-han-lab/vlash, issue 12). On a robot it is its own
    joints that are rolled forward, which needs no model of the scene.

    Args:
        policy: trained with future states, with chunks [H, A].
        model: a `WorldModel`, whose predictions are used for the robot only.
        robot: bool[O], which numbers of the policy's observation belong to the robot.

    Raises:
        ArgumentError: the policy or the model lacks its method, or `robot` is no such list.
    """

    def __init__(self, policy: Policy, model: WorldModel, robot: ArrayLike) -> None:
        super().__init__(policy, RobotAhead(model, robot))
