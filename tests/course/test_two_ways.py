import numpy as np

from chunkenv.course import TwoWays

WAY = np.array([[0.5, -0.2], [1.0, 0.3], [1.5, 0.1]])


def test_the_jacobian_is_that_of_the_velocity():
    rng, flow = np.random.default_rng(0), TwoWays(WAY, 0.3)
    chunks, error = rng.normal(size=(2, 2, 3, 2))
    for time in (0.0, 0.5, 0.9):
        pulled = flow.vjp(chunks, time, error)
        for place in np.ndindex(3, 2):
            moved = np.zeros((3, 2))
            moved[place] = 1e-5
            change = (flow.velocity(chunks + moved, time) - flow.velocity(chunks - moved, time)) / 2e-5
            np.testing.assert_allclose((change * error).sum(axis=(1, 2)), pulled[:, *place], atol=1e-5)


def test_many_small_steps_lead_from_noise_to_the_data():
    """Half go each way, with the spread that was asked for."""
    flow, chunks = TwoWays(WAY, 0.2), np.random.default_rng(0).normal(size=(2000, 3, 2))
    for step in range(100):
        chunks = chunks + flow.velocity(chunks, step / 100) / 100
    side = np.sign((chunks * WAY).sum(axis=(1, 2)))
    assert abs(side.mean()) < 3 / np.sqrt(2000)
    away = chunks - side[:, None, None] * WAY
    np.testing.assert_allclose(away.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(away.std(axis=0), 0.2, rtol=0.1)
