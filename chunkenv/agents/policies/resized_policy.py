"""A flow policy of another size, with random weights: it takes the time that such a policy takes, and knows nothing."""

from __future__ import annotations

import dataclasses

import numpy as np

from chunkenv.agents.nets import mixer
from chunkenv.agents.nets.network_size import architecture_of_size
from chunkenv.agents.policies.flow_policy import FlowPolicy


def resized(policy: FlowPolicy, parameters: int, seed: int = 0) -> FlowPolicy:
    """A policy of the same kind with a wider and deeper (or smaller) network of random weights.

    Args:
        policy: gives everything but the network.
        parameters: about how many the network is to have, at least 1.
        seed: of the weights.

    Raises:
        ArgumentError: parameters below 1.
    """
    flow, size = policy.flow, policy.action_size
    architecture = architecture_of_size(flow.architecture, flow.sizes, parameters)
    weights = mixer.initial_weights(architecture, flow.sizes, seed)
    larger = dataclasses.replace(flow, weights=weights, architecture=architecture)
    mean, plus_std = (policy.to_actions(np.full(size, value, np.float32)) for value in (0, 1))
    made = type(policy)(larger, np.asarray(mean), np.asarray(plus_std - mean), policy.facts)
    made.family = policy.family
    return made
