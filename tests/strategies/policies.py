"""Small denoisers that the tests of the strategies share."""

from functools import partial

import numpy as np

from chunkenv.strategies.costs import Cost
from chunkenv.strategies.requests import draw_noise, stack_requests
from chunkenv.strategies.strategy import Strategy
from chunkenv.vector import VectorRequest


def euler(denoiser, observations, noise):
    chunks = noise
    for step in range(denoiser.steps):
        chunks = chunks + denoiser.velocity(observations, chunks, step / denoiser.steps) / denoiser.steps
    return chunks


class Denoising:
    """The part that all share; actions are 2 * chunk + 1, so that who forgets the network's space is wrong."""

    steps, prediction_horizon, action_size, flops_per_evaluation = 5, 8, 1, 100
    scale, shift = np.float32(2.0), np.float32(1.0)

    def to_network(self, actions):
        return (actions - self.shift) / self.scale

    def to_actions(self, chunks):
        return chunks * self.scale + self.shift

    def compile(self, loop):
        return partial(loop, self)

    def infer(self, observation, request):
        batch = stack_requests([request], rows=self.prediction_horizon)
        return self.infer_batch(np.asarray(observation)[None], batch)[0]

    def infer_batch(self, observations, request):
        noise = draw_noise(request.rng, self.prediction_horizon, self.action_size)
        return np.asarray(self.to_actions(self.compile(euler)(np.asarray(observations), noise)))


class Gaussian(Denoising):
    """The exact velocity for chunks that are Gaussian: mean depends on the observation, covariance [H * A, H * A].

    Noise x0 and data x1 are independent, x = (1 - t) x0 + t x1; velocity = E[x1 - x0 | x].
    """

    def __init__(self, horizon=8, action_size=1, covariance=None, dtype=np.float32):
        self.prediction_horizon, self.action_size, self.dtype = horizon, action_size, dtype
        size = horizon * action_size
        self.covariance = np.eye(size) if covariance is None else covariance

    def mean(self, observations):
        rows = np.linspace(-1.0, 1.0, self.prediction_horizon * self.action_size)
        return np.sum(observations, axis=-1, keepdims=True) * 0.1 + rows

    def gain(self, time):
        """d E[x1 | x] / d x, symmetric."""
        size = len(self.covariance)
        noisy = time**2 * self.covariance + (1 - time) ** 2 * np.eye(size)
        return time * np.linalg.solve(noisy, self.covariance)

    def expected(self, observations, chunks, time):
        """E[x1 | x], [N, H * A]."""
        flat, mean = chunks.reshape(len(chunks), -1), self.mean(observations)
        return mean + (flat - time * mean) @ self.gain(time)

    def velocity(self, observations, chunks, time):
        flat = (self.expected(observations, chunks, time) - chunks.reshape(len(chunks), -1)) / (1 - time)
        return flat.reshape(chunks.shape).astype(self.dtype)

    def velocity_vjp(self, observations, chunks, time):
        jacobian = (self.gain(time) - np.eye(len(self.covariance))) / (1 - time)

        def pullback(cotangent):
            return (cotangent.reshape(len(cotangent), -1) @ jacobian).reshape(cotangent.shape).astype(self.dtype)

        return self.velocity(observations, chunks, time), pullback

    def observation_jvp(self, observations, noise, directions):
        """Chunks are affine in the observation, so that differences are derivatives."""
        here, there = (
            self.to_actions(self.compile(euler)(seen, noise)) for seen in (observations, observations + directions)
        )
        return here, there - here


class Prefixed(Gaussian):
    """Was trained with prefixes of up to 4 rows: it writes down what it was given."""

    prefix_conditioned, max_prefix = True, 4

    def __init__(self, **settings):
        super().__init__(**settings)
        self.given = []

    def velocity(self, observations, chunks, time, prefix_length=None):
        if prefix_length is not None:
            self.given.append((np.array(chunks), time, np.array(prefix_length)))
        return super().velocity(observations, chunks, time)


class Soft(Prefixed):
    """The exact velocity where each row has a flow time of its own."""

    soft_rows = 3

    def velocity(self, observations, chunks, time, prefix_length=None, prefix_weights=None):
        if prefix_weights is None:
            return super().velocity(observations, chunks, time, prefix_length)
        self.given.append((np.array(chunks), time, np.array(prefix_weights)))
        return np.stack(
            [self.row_velocity(*each, time) for each in zip(observations, chunks, prefix_weights, strict=True)]
        )

    def row_velocity(self, observation, chunk, weights, time):
        own = np.repeat(weights + (1 - weights) * time, self.action_size).astype(np.float64)
        mean = self.mean(observation[None])[0]
        noisy = own[:, None] * self.covariance * own + np.diag((1 - own) ** 2)
        expected = mean + self.covariance * own @ np.linalg.solve(noisy, chunk.reshape(-1) - own * mean)
        velocity = (expected - chunk.reshape(-1)) / np.where(own < 1, 1 - own, np.inf)
        return velocity.reshape(chunk.shape).astype(self.dtype)


class Network(Denoising):
    """A small JAX network with fixed weights; counts how often a loop is traced."""

    def __init__(self, horizon=8, action_size=1, observation_size=3, seed=0):
        rng = np.random.default_rng(seed)
        self.prediction_horizon, self.action_size = horizon, action_size
        size = horizon * action_size
        self.hidden = rng.normal(size=(size + observation_size + 1, 32)).astype(np.float32)
        self.out = 0.3 * rng.normal(size=(32, size)).astype(np.float32)
        self.traces = 0
        self._compiled = {}

    def velocity(self, observations, chunks, time):
        import jax.numpy as jnp

        inputs = [observations, chunks.reshape(len(chunks), -1), jnp.full((len(chunks), 1), time)]
        return (jnp.tanh(jnp.concatenate(inputs, axis=1) @ self.hidden) @ self.out).reshape(chunks.shape)

    def velocity_vjp(self, observations, chunks, time):
        import jax

        velocity, pullback = jax.vjp(lambda given: self.velocity(observations, given, time), chunks)
        return velocity, lambda cotangent: pullback(cotangent)[0]

    def compile(self, loop):
        import jax

        def traced(*arrays):
            self.traces += 1
            return loop(self, *arrays)

        if loop not in self._compiled:
            self._compiled[loop] = jax.jit(traced)
        return lambda *arrays: np.array(self._compiled[loop](*arrays))


class Listed:
    """Gives its chunks one after the other, whatever it is asked: a policy that ignores its input."""

    prediction_horizon = 4

    def __init__(self, chunks):
        self.chunks = [np.asarray(chunk, np.float32) for chunk in chunks]

    def infer(self, observation, request):
        return self.chunks[0]

    def infer_batch(self, observations, request):
        count = len(request.tick)
        assert len(observations) == count == len(request.rng)
        return np.stack([self.chunks[index % len(self.chunks)] for index in range(count)])


class Dear(Strategy):
    """Its chunks differ in cost: request by request, one more evaluation."""

    @property
    def cost(self):
        return Cost(1, 0, None)

    @property
    def costs(self):
        return [Cost(1 + place, 0, None) for place in range(self.count)]

    def infer_batch(self, observations, request):
        self.count = len(request.tick)
        return super().infer_batch(observations, request)


COSTLY = Cost(evaluations=7, vjps=2, flops=1000)


def requests(left_over, lengths, delay=0, execution_horizon=4, ticks=None, seed=0):
    """A batch of requests with these rows left, [N, H, A], so many of them real."""
    left_over, lengths = np.asarray(left_over, np.float32), np.asarray(lengths)
    delays = np.broadcast_to(np.asarray(delay), lengths.shape).astype(np.int64)
    return VectorRequest(
        tick=np.full(len(lengths), 8) if ticks is None else np.asarray(ticks),
        prefix=left_over,
        prefix_length=np.minimum(delays, lengths),
        delay_estimate=delays,
        execution_horizon=execution_horizon,
        left_over=left_over,
        left_over_length=lengths,
        rng=generators(len(lengths), seed),
    )


def generators(count, seed=0):
    return tuple(np.random.default_rng([seed, index]) for index in range(count))
