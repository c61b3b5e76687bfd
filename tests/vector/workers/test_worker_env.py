"""Environments in processes: the same results as without, and what happens when one of them fails."""

import contextlib
import gc
import itertools
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv.errors import ActionError, ArgumentError, EnvironmentFault, ResetNeededError
from chunkenv.vector.workers import WorkerFault, WorkerVectorEnv
from tests.vector.faulty import Faulty, chunked

MODES = list(AutoresetMode)


@pytest.fixture(autouse=True)
def no_process_stays_behind():
    """Every test closes what it opens, and nothing of it may be left."""
    before = children(os.getpid())
    yield
    gc.collect()
    assert started_since(before) == []


def children(pid):
    """Processes whose parent is `pid` (Linux: other systems skip what needs this)."""
    if not Path("/proc/self/task").exists():
        pytest.skip("needs /proc")
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def started_since(before):
    """Our processes that are not among those of `before`, which may be another test's."""
    return [pid for pid in children(os.getpid()) if pid not in before and not is_helper(pid)]


def is_helper(pid):
    """Multiprocessing's own resource tracker and fork server, one a program."""
    with contextlib.suppress(OSError):
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        return b"resource_tracker" in line or b"forkserver" in line
    return True


def alive(pids):
    """Those that still run, after a moment to end."""
    for _ in range(200):
        left = [pid for pid in pids if state(pid) not in ("Z", "")]
        if not left:
            break
        time.sleep(0.05)
    return left


def state(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def workers(count=3, faulty=None, chunks=True, limits=(30, 9, 14), **options):
    """A vector of `count`, the second of which fails as `faulty` says."""
    make = chunked if chunks else Faulty
    makers = [partial(make, limit=limits[i], **((faulty or {}) if i == 1 else {})) for i in range(count)]
    return WorkerVectorEnv(makers, **({"timeout": 60, "context": "fork"} | options))


def plain(value):
    """Lists instead of arrays of objects, which numpy's assertions cannot compare."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    objects = isinstance(value, np.ndarray) and value.dtype == object
    return [plain(part) for part in value] if objects or isinstance(value, tuple) else value


def assert_same(ours, theirs):
    np.testing.assert_equal(plain(ours), plain(theirs))
    for mine, other in zip(ours, theirs, strict=True):
        if isinstance(mine, np.ndarray):
            assert mine.dtype == other.dtype


def actions_of(env, seed=0):
    env.action_space.seed(seed)
    return [env.action_space.sample() for _ in range(25)]


@pytest.mark.parametrize("chunks", [True, False], ids=["chunked", "plain"])
@pytest.mark.parametrize("mode", MODES)
def test_results_are_those_of_sync_vector_env(mode, chunks):
    make = chunked if chunks else Faulty
    makers = [partial(make, limit=limit) for limit in (30, 9, 14)]
    ours = WorkerVectorEnv(makers, autoreset_mode=mode, context="fork")
    theirs = SyncVectorEnv(makers, autoreset_mode=mode)
    assert ours.metadata == theirs.metadata
    assert (ours.observation_space, ours.action_space) == (theirs.observation_space, theirs.action_space)
    assert_same(ours.reset(seed=3, options={"a": 1}), theirs.reset(seed=3, options={"a": 1}))
    for actions in actions_of(theirs):
        results = ours.step(actions), theirs.step(actions)
        assert_same(*results)
        if mode == AutoresetMode.DISABLED and (over := results[0][2] | results[0][3]).any():
            assert_same(ours.reset(options={"reset_mask": over}), theirs.reset(options={"reset_mask": over.copy()}))
    ours.close()


def test_a_list_of_seeds_and_what_members_render_and_hold():
    with contextlib.closing(workers()) as envs:
        envs.reset(seed=[5, None, 7])
        first = envs.reset(seed=[5, 6, 7])[0]
        np.testing.assert_equal(envs.reset(seed=5)[0], first)
        assert [frame[0, 0, 0] for frame in envs.render()] == [0, 0, 0]
        assert [request.tick for request in envs.get_attr("request")] == [0, 0, 0]
        envs.set_attr("limit", [1, 2, 3])
        assert envs.get_attr("limit") == (1, 2, 3)
        envs.set_attr("limit", 6)
        assert envs.call("has_wrapper_attr", "limit") == (True,) * 3
        assert envs.get_attr("limit") == (6, 6, 6)


def test_what_a_step_returned_stays():
    with contextlib.closing(workers()) as envs:
        kept = envs.reset(seed=0)[0]
        before = {key: value.copy() for key, value in kept.items()}
        for actions in actions_of(envs)[:4]:
            envs.step(actions)
        np.testing.assert_equal(kept, before)


def test_gymnasiums_wrappers_go_over_it():
    envs = gym.wrappers.vector.RecordEpisodeStatistics(workers(chunks=False))
    envs.reset(seed=0)
    lengths = [infos["episode"]["l"][1] for *_, infos in map(envs.step, actions_of(envs)) if "episode" in infos]
    assert lengths[0] == 9
    envs.close()


REASONS = {
    "raise": r"ZeroDivisionError: one by none \(raised by .* at tick 6; call reset\(\) to go on.\)",
    "secret": r"Secret: .*lambda",
    "opaque": ".*pickle",
    "absent": "its answer cannot be read: ValueError: invalid literal",
    "closed": "its process ",
    "mute": "its process closed its pipe",
    "kill": "its process was killed by SIGKILL; if memory was short, use fewer environments",
    "leave": "its process ended with exit code 3",
    "hang": "it did not answer within 1 seconds",
    "nan reward": r"EnvironmentFault: .* from tick 4 on; expected numbers",
    "nan observation": r"EnvironmentFault: .* an observation with NaN at tick 8; expected",
}


@pytest.mark.parametrize(
    ("fault", "mode"),
    [(fault, MODES[0]) for fault in REASONS] + [(fault, mode) for mode in MODES[1:] for fault in ("raise", "kill")],
)
def test_a_fault_is_named_and_the_others_go_on(fault, mode):
    # The NaN stands in the observation of tick 8, the last of the second decision; the others come inside it, at 7.
    at = 8 if fault == "nan observation" else 7
    limits = (30, 20, 14)
    faulty = {"fault": fault, "at": at}
    envs = workers(faulty=faulty, limits=limits, autoreset_mode=mode, timeout=1 if fault == "hang" else 60)
    sound = SyncVectorEnv([partial(chunked, limit=limit) for limit in limits], autoreset_mode=mode)
    actions = actions_of(sound)
    envs.reset(seed=0), sound.reset(seed=0)
    first, _ = envs.step(actions[0]), sound.step(actions[0])
    sentence = f"environment 1 failed in decision 1 of its episode, from tick 4 on: {REASONS[fault]}"
    with pytest.raises(WorkerFault, match=sentence) as caught:
        envs.step(actions[1])
    expected = sound.step(actions[1])
    assert caught.value.failed.tolist() == [False, True, False]
    check_the_result_of_a_fault(caught.value.result, expected, first)
    check_that_it_goes_on(envs, sound, actions, mode)
    envs.close()


def check_the_result_of_a_fault(result, expected, before):
    """The others have made their step; the failed one is truncated where it was."""
    observations, rewards, terminated, truncated, infos = result
    for index in (0, 2):
        assert {key: value[index] for key, value in infos.items() if key in expected[4]} == {
            key: value[index] for key, value in expected[4].items()
        }
        np.testing.assert_equal(observations["x"][index], expected[0]["x"][index])
        assert rewards[index] == expected[1][index]
    assert (rewards[1], terminated.tolist(), truncated.tolist()) == (0.0, [False] * 3, [False, True, False])
    np.testing.assert_equal(observations["x"][1], before[0]["x"][1])
    assert infos["_fault"].tolist() == [False, True, False]


def check_that_it_goes_on(envs, sound, actions, mode):
    """The others go on as if nothing had happened; the failed one begins an episode."""
    mask = np.array([False, True, False])
    if mode != AutoresetMode.NEXT_STEP:
        with pytest.raises(ResetNeededError, match=r"environments \[1\] are over or failed; call reset\(options="):
            envs.step(actions[2])
        with pytest.raises(ResetNeededError, match=r"environments \[1\]"):
            envs.get_attr("limit")
        observations, infos = envs.reset(options={"reset_mask": mask})
        assert infos["_options"].tolist() == mask.tolist()
        assert observations["n"].tolist() == [8, 0, 8]
    ours, theirs = envs.step(actions[2]), sound.step(actions[2])
    for member in (0, 2):
        np.testing.assert_equal(ours[0]["x"][member], theirs[0]["x"][member])
        assert [part[member] for part in ours[1:4]] == [part[member] for part in theirs[1:4]]
    assert ours[0]["n"][1] == (0 if mode == AutoresetMode.NEXT_STEP else 4)
    assert envs.get_attr("limit") == (30, 20, 14)


@pytest.mark.parametrize("fault", ["raise", "kill", "hang"])
def test_a_fault_in_a_reset(fault):
    envs = workers(faulty={"fault": fault, "at": "reset"}, timeout=1 if fault == "hang" else 60)
    for _ in range(2):
        with pytest.raises(WorkerFault, match=f"environment 1 failed in its reset: {REASONS[fault][:7]}") as caught:
            envs.reset(seed=0)
        assert caught.value.failed.tolist() == [False, True, False]
        assert caught.value.result is None
    with pytest.raises(ResetNeededError, match="not every environment was reset yet"):
        envs.step(envs.action_space.sample())
    envs.close()


@pytest.mark.parametrize("fault", ["raise", "kill", "leave", "hang"])
def test_a_fault_when_it_is_made(fault):
    with pytest.raises(EnvironmentFault, match=f"environment 1 failed when it was made: {REASONS[fault][:7]}"):
        workers(faulty={"fault": fault, "at": "made"}, start_timeout=1 if fault == "hang" else None)


def test_the_traceback_comes_along():
    with contextlib.closing(workers(faulty={"fault": "raise", "at": 1})) as envs:
        envs.reset()
        with pytest.raises(WorkerFault) as caught:
            envs.step(envs.action_space.sample())
    assert "tests/vector/faulty.py" in caught.value.__notes__[0]


def test_two_at_once_are_both_named():
    makers = [partial(chunked, fault="kill", at=2), chunked, partial(chunked, fault="raise", at=3)]
    with contextlib.closing(WorkerVectorEnv(makers, context="fork")) as envs:
        envs.reset(seed=0)
        with pytest.raises(WorkerFault, match=r"environment 0 failed .* SIGKILL.*; environment 2 failed .* at tick 2"):
            envs.step(envs.action_space.sample())


def test_a_replaced_environment_has_a_seed_of_its_own_that_repeats():
    seen = []
    for _ in range(2):
        with contextlib.closing(workers(faulty={"fault": "kill", "at": 6})) as envs:
            first = envs.reset(seed=0)[0]["x"][1]
            envs.step(actions := envs.action_space.sample())
            with pytest.raises(WorkerFault):
                envs.step(actions)
            seen.append(envs.step(actions)[0]["x"][1])
            assert not np.array_equal(seen[-1], first)
    np.testing.assert_array_equal(*seen)


def test_a_wrong_name_hurts_nobody():
    with contextlib.closing(workers()) as envs:
        envs.reset(seed=0)
        with pytest.raises(
            WorkerFault, match=r"environment 0 failed in 'limitt': AttributeError.*; environment 1"
        ) as it:
            envs.get_attr("limitt")
        assert not it.value.failed.any()
        assert envs.get_attr("limit") == (30, 9, 14)


def test_actions_are_refused_before_anything_moves():
    with contextlib.closing(workers()) as envs:
        envs.reset(seed=0)
        wrong = envs.action_space.sample()
        wrong[1, 0] = np.nan
        for actions in (wrong, wrong[:2], "left"):
            with pytest.raises(ActionError, match="the actions ha"):
                envs.step(actions)
        assert envs.get_attr("tick") == (0, 0, 0)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"env_fns": []}, r"env_fns=\[\] is no list of functions"),
        ({"env_fns": [3]}, r"env_fns=\[3\] is no list"),
        ({"env_fns": chunked}, "is no list of functions"),
        ({"timeout": 0}, "timeout=0 leaves no time"),
        ({"timeout": -1.0}, r"timeout=-1.0 is not a finite number of at least 0"),
        ({"start_timeout": "long"}, "start_timeout='long' is not"),
        ({"autoreset_mode": "never"}, "autoreset_mode='never' is unknown"),
        ({"context": "spoon"}, "context='spoon' is unknown; did you mean 'spawn'"),
        ({"env_fns": [chunked, partial(chunked, width=4)]}, "environment 1 has the observation_space .* make them all"),
    ],
)
def test_arguments_that_cannot_be_meant(options, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        WorkerVectorEnv(**({"env_fns": [chunked]} | options))


def test_a_step_needs_a_reset_and_an_open_environment():
    envs = workers()
    with pytest.raises(ResetNeededError):
        envs.step(envs.action_space.sample())
    with pytest.raises(ResetNeededError):
        envs.reset(options={"reset_mask": np.array([True, False, True])})
    envs.close()
    envs.close()
    for use in (envs.reset, lambda: envs.step(envs.action_space.sample()), lambda: envs.get_attr("limit")):
        with pytest.raises(ClosedEnvironmentError, match="make a new one"):
            use()


def test_values_for_each():
    with contextlib.closing(workers()) as envs, pytest.raises(ArgumentError, match="2 values for 3 environments"):
        envs.set_attr("limit", [1, 2])


def test_it_closes_whatever_hangs(monkeypatch):
    monkeypatch.setattr("chunkenv.vector.workers.worker_env.GRACE", 0.2)
    before = children(os.getpid())
    envs = workers()
    envs.reset(seed=0)
    pids = started_since(before)
    os.kill(pids[0], signal.SIGSTOP)
    start = time.monotonic()
    envs.close()
    assert time.monotonic() - start < 5
    assert not alive(pids)


def test_forgotten_environments_end():
    before = children(os.getpid())
    envs = workers()
    pids = started_since(before)
    assert len(pids) == 3
    del envs
    gc.collect()
    assert not alive(pids)


@pytest.mark.slow
@pytest.mark.parametrize("context", ["spawn", "forkserver"])
def test_other_ways_to_start_processes(context):
    ours = workers(context=context, faulty={"fault": "kill", "at": 7})
    theirs = SyncVectorEnv([partial(chunked, limit=limit) for limit in (30, 9, 14)])
    actions = actions_of(theirs)
    assert_same(ours.reset(seed=0), theirs.reset(seed=0))
    assert_same(ours.step(actions[0]), theirs.step(actions[0]))
    with pytest.raises(WorkerFault, match="SIGKILL"):
        ours.step(actions[1])
    assert ours.step(actions[1])[0]["n"].tolist() == [12, 0, 12]
    ours.close()


SCRIPT = """
import sys
from functools import partial
from chunkenv.vector.workers import WorkerVectorEnv
from tests.vector.faulty import chunked

if __name__ == "__main__":
    makers = [partial(chunked, limit=10**9)] * 2 + [partial(chunked, fault="hang", at=9)]
    envs = WorkerVectorEnv(makers, context=sys.argv[1])
    envs.reset(seed=0)
    print("ready", flush=True)
    while True:
        envs.step(envs.action_space.sample())
"""


@pytest.mark.parametrize("context", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda way: way.name)
def test_workers_end_with_their_parent(way, context, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    root = str(Path(__file__).parents[3])
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), context],
        env=os.environ | {"PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    pids = [pid for pid in children(process.pid) if not is_helper(pid)]
    assert len(pids) == 3
    for pid in [*pids, process.pid] if way == signal.SIGINT else [process.pid]:
        os.kill(pid, way)  # a terminal sends Ctrl-C to all; the parent last, because it ends the others
    _, errors = process.communicate(timeout=30)
    assert not alive(pids)
    assert errors.count("KeyboardInterrupt") == (way == signal.SIGINT)


def test_after_an_interrupt_a_reset_is_enough():
    envs = workers(faulty={"fault": "hang", "at": 7}, timeout=None)
    envs.reset(seed=0)
    actions = envs.action_space.sample()
    first = envs.step(actions)[0]
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    with pytest.raises(KeyboardInterrupt):
        envs.step(actions)
    signal.signal(signal.SIGALRM, before)
    envs.reset(seed=0)
    np.testing.assert_equal(envs.step(actions)[0], first)
    envs.close()


def kill_at_random(times):
    """Kill a random worker at random moments of random play; every time it must be named, and nothing else be lost."""
    rng = np.random.default_rng(0)
    with contextlib.closing(workers(count=4, limits=(10**9, 10**9, 10**9, 10**9))) as envs:
        envs.reset(seed=0)
        actions, met = envs.action_space.sample(), set()
        while len(met) < times:
            victim, clock = int(rng.integers(4)), envs.get_attr("tick")
            pid = envs.call("pid")[victim]
            killer = subprocess.Popen(["sh", "-c", f"sleep {rng.uniform(0, 0.02)}; kill -9 {pid}"])
            steps = itertools.count()
            with pytest.raises(WorkerFault, match=rf"environment {victim} failed in .*SIGKILL") as caught:
                all(envs.step(actions) for _ in steps)
            assert killer.wait() == 0
            assert caught.value.failed.tolist() == [index == victim for index in range(4)]
            others = [index for index in range(4) if index != victim]
            ticks = np.array(clock)[others] + 4 * next(steps)
            assert caught.value.result[0]["n"][others].tolist() == ticks.tolist()
            observations, _ = envs.reset(options={"reset_mask": caught.value.failed})
            assert observations["n"][victim] == 0
            assert observations["n"][others].tolist() == ticks.tolist()
            met.add(pid)


def test_kills_at_random_moments():
    kill_at_random(5)


@pytest.mark.slow
def test_fifty_kills_at_random_moments():
    kill_at_random(50)


def test_nan_in_an_observation_is_found_without_chunks_too():
    makers = [Faulty, partial(Faulty, fault="nan observation", at=1)]
    with contextlib.closing(WorkerVectorEnv(makers, context="fork")) as envs:
        envs.reset()
        with pytest.raises(WorkerFault, match=r"environment 1 failed in .*: it returned an observation with"):
            envs.step(envs.action_space.sample())
