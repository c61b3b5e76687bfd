"""Episodes to be watched: they are those of the study, and every tick of them is shown."""

import os
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from typer.testing import CliRunner

from chunkenv.bench.studies import delay_study as study
from chunkenv.bench.study import Cell
from chunkenv.cli.app import app
from chunkenv.cli.scene import METHODS, PlayedScene, make_env, make_policy, play_scene
from chunkenv.errors import ArgumentError, MissingExtraError
from chunkenv.evaluate import evaluate
from chunkenv.manipulation.oracles.oracle_policy import OraclePolicy
from chunkenv.request import Request
from tests import worlds  # noqa: F401 (registers the world, whose frames show its tick)

pytest.importorskip("pygame")
Image = pytest.importorskip("PIL.Image")
WORLD = "tests/Recorder-v0"


class Screen:
    """Keeps what it is shown."""

    def __init__(self):
        self.frames, self.rate, self.open = [], None, False

    def at(self, rate):
        self.rate, self.open = rate, True
        return self

    def show(self, picture):
        assert self.open
        self.frames.append(picture)

    def close(self):
        self.open = False


def watch(scene, episodes=1, seed=0):
    screen = Screen()
    rows = play_scene(scene, screen.at, episodes, seed)
    assert not screen.open
    return screen, rows


@pytest.mark.parametrize("task", ["cube-single-task2", "chunkenv/manip-cube-single-task2-v0"])
def test_a_manipulation_task_by_its_name_or_its_id(task):
    pytest.importorskip("ogbench")
    env = make_env(PlayedScene(task, size=100))
    assert env.unwrapped.spec.id == "chunkenv/manip-cube-single-task2-v0"
    assert env.unwrapped._render_size == 100


def test_the_oracle_plays_manipulation_tasks():
    pytest.importorskip("ogbench")
    scene = PlayedScene("cube-single", size=16)
    assert isinstance(make_policy(scene, make_env(scene)), OraclePolicy)


def test_noise_does_not_leave_the_actions_of_a_manipulation_task():
    pytest.importorskip("ogbench")
    env = make_env(PlayedScene("cube-single-task2", action_noise=3.0, size=16))
    try:
        env.reset(seed=0)
    except MissingExtraError as error:  # nothing can be drawn here
        pytest.skip(str(error))
    env.step(np.zeros((8, 5), np.float32))


def test_every_tick_of_every_episode_is_shown():
    screen, rows = watch(PlayedScene(WORLD, delay=2), episodes=3)
    assert [frame[0, 160, 0] for frame in screen.frames] == list(range(31)) * 3
    assert [row["ticks"] for row in rows] == [30] * 3
    assert screen.rate == 20


@pytest.mark.parametrize("method", study.METHODS)
def test_the_episodes_are_those_of_the_study(method):
    cell = Cell("grasp_easy", method, 2, 4, 8)
    expected = evaluate(lambda: study.make_env(cell), study.make_policy(cell), episodes=1, seed=5)
    screen, rows = watch(PlayedScene("grasp_easy", method, delay=2, size=64), seed=5)
    assert rows == expected
    assert len(screen.frames) == rows[0]["ticks"] + 1


def test_several_inferences_are_under_way():
    """With H = 8, s = 2 and d = 4: one inference at a time makes a request every 4 ticks, two make one every 2."""
    one, two = (PlayedScene(WORLD, "zero", 4, 8, 2, max_in_flight=many) for many in (1, 2))
    (narrow, (first,)), (wide, (second,)) = watch(one), watch(two)
    assert (first["ticks"], first["decisions"], second["ticks"], second["decisions"]) == (30, 8, 30, 15)
    assert wide.frames[0].shape[0] == narrow.frames[0].shape[0] + 6  # a lane of bars more


def test_a_correction_out_of_a_file_of_the_user(tmp_path):
    """It moves what zeros would leave where it is, and the strip has a line below every cell: 30 fit."""
    path = tmp_path / "my_correction.py"
    path.write_text("def make():\n    return lambda observation, row, row_index, tick, rng: row * 0 + 0.25\n")
    frames = [
        watch(PlayedScene(WORLD, "zero", correction=correction))[0].frames[-1]
        for correction in (None, tmp_path / "my_correction.py:make")
    ]
    below = [(frame[-2, 44 : 44 + 30 * 8] == (20, 20, 20)).all(axis=1).reshape(30, 8).sum(axis=1) for frame in frames]
    assert [widths.tolist() for widths in below] == [[0] * 30, [7] * 30]


@pytest.mark.parametrize("task", ["catapult", "chunkenv/kinetix-catapult-v0"])
def test_a_level_by_its_name_or_its_id(task):
    env = make_env(PlayedScene(task, size=400))
    env.reset(seed=0)
    assert env.render()[0].shape[1] == 400
    assert env.unwrapped.spec.id == "chunkenv/kinetix-catapult-v0"


@pytest.mark.parametrize("method", ["random", "zero"])
def test_the_seed_decides(method):
    rows = [watch(PlayedScene(WORLD, method, delay=1), seed=seed)[1][0]["return"] for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_zeros_do_nothing_and_random_chunks_something():
    for method, moves in (("zero", False), ("random", True)):
        env = RecordActions(gym.make(WORLD, render_mode="rgb_array_list"))
        gym.register("tests/Recording-v0", entry_point=lambda env=env, **_: env)
        watch(PlayedScene("tests/Recording-v0", method, action_noise=0.0))
        assert np.any(env.actions) == moves
        del gym.registry["tests/Recording-v0"]


class RecordActions(gym.Wrapper):
    def __init__(self, env):
        super().__init__(env)
        self.actions = []

    def step(self, action):
        self.actions.append(action)
        return self.env.step(action)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """An agent for Pendulum, whose actions go from -2 to 2, that thinks for a tick."""
    registry = pytest.importorskip("chunkenv.agents.registry")
    settings = registry.settings_for("qc", chunk=3, delay=1, hidden=(8,), samples=2)
    path = tmp_path_factory.mktemp("agent") / "agent.safetensors"
    registry.create("qc", 0, 3, 1, settings).save(path)
    return path


def test_an_agent_plays_as_it_learned_to(learned):
    scene = PlayedScene("Pendulum-v1", agent=learned)
    screen, rows = watch(scene)
    assert scene.lengths == (4, 3, 1)
    assert (len(screen.frames), rows[0]["decisions"]) == (201, 67)
    from chunkenv.agents import registry
    from chunkenv.agents.policies.chunk_policy import ChunkPolicy
    from chunkenv.training import OfflineOnlineTraining, TrainingConfig

    agent = registry.load_agent(learned)
    config = TrainingConfig("Pendulum-v1", offline_steps=0, online_steps=1)
    training = OfflineOnlineTraining(config, "qc", agent.settings, None, 0)
    assert (
        evaluate(lambda: training.make_env(agent.settings), ChunkPolicy(agent), 1, 0)[0]["return"] == rows[0]["return"]
    )


def test_an_agent_may_be_played_otherwise(learned):
    _, rows = watch(PlayedScene("Pendulum-v1", agent=learned, delay=0, execution_horizon=1))
    assert rows[0]["decisions"] == 200


@pytest.mark.slow
def test_an_agent_that_is_told_a_goal_plays_where_goals_change(tmp_path):
    pytest.importorskip("ogbench")
    registry = pytest.importorskip("chunkenv.agents.registry")
    settings = registry.settings_for("sharsa", hidden=(8,), samples=2, goal_size=3)
    registry.create("sharsa", 0, 28 + 3, 5, settings).save(tmp_path / "agent.safetensors")
    scene = PlayedScene("cube-single", size=16, agent=tmp_path / "agent.safetensors")
    env = make_env(scene)
    policy, rng = make_policy(scene, env), np.random.default_rng(0)
    request = Request(0, np.zeros((0, 5)), 0, 0, 5, np.zeros((0, 5)), rng)
    assert policy.infer(env.observation_space.sample(), request).shape == (5, 5)
    other = PlayedScene("cube-single-task1", size=16, agent=scene.agent)
    with pytest.raises(ArgumentError, match="act on 31 numbers with 5"):
        make_policy(other, make_env(other))


def test_an_agent_of_another_task_is_one_sentence(learned):
    for scene, sentence in (
        (PlayedScene("MountainCarContinuous-v0", agent=learned), "act on 3 numbers with 1, and MountainCar.* has Box"),
        (PlayedScene("Pendulum-v1", "zero", agent=learned), "method='zero' and agent='.*' would both play"),
        (PlayedScene("Pendulum-v1", agent=learned.with_name("none")), "none"),
        (PlayedScene("CartPole-v1", agent=learned), "action_space Discrete"),
    ):
        with pytest.raises(ArgumentError, match=sentence):
            watch(scene)


@pytest.mark.parametrize(
    ("scene", "sentence"),
    [
        (PlayedScene("catapullt"), "There is no environment 'catapullt': did you mean 'catapult'"),
        (PlayedScene("Pendulun-v1"), "There is no environment 'Pendulun-v1': did you mean 'Pendulum-v1'"),
        (PlayedScene("nosuch"), "There is no environment 'nosuch': `chunkenv tasks` lists those of this package.$"),
        (PlayedScene("catapult", "magic"), "method='magic' is unknown; choose one of 'prefix-aware', 'naive'"),
        (PlayedScene(WORLD, "naive"), "method='naive' plans with the Kinetix engine, which tests/Recorder-v0 does not"),
        (PlayedScene("catapult", "oracle"), "method='oracle' knows manipulation tasks, and catapult is none"),
        (PlayedScene("CartPole-v1", "zero"), "method='zero' needs continuous actions"),
        (PlayedScene(WORLD, size=9), "size=9 is for our own tasks"),
        (PlayedScene("catapult", size=9), "render_size=9 is too small"),
        (PlayedScene("catapult", size=99999), "render_size=99999 is too large; give an int of at most 2048"),
        (PlayedScene("cube-single-task1", size=2049), "render_size=2049 is too large"),
        (PlayedScene("catapult", delay=-1), "latency=-1"),
        (
            PlayedScene(WORLD, correction=Path("nowhere.py:make")),
            "'nowhere.py:make' is not FILE.py:NAME, a Python file",
        ),
        (PlayedScene("catapult", max_in_flight=0), "max_in_flight=0 is too small"),
        (PlayedScene("catapult", execution_horizon=9), "execution_horizon=9 is more than"),
        (PlayedScene("nowhere:Nothing-v0"), "task='nowhere:Nothing-v0' cannot be made"),
        (PlayedScene("CartPole-v1", action_noise=0.1), "Discrete"),
    ],
)
def test_what_cannot_be_meant(scene, sentence):
    screen = Screen()
    with pytest.raises(ArgumentError, match=sentence):
        play_scene(scene, screen.at, 1, 0)
    assert screen.rate is None


@pytest.mark.parametrize(("episodes", "seed"), [(0, 0), (1, -1)])
def test_counts(episodes, seed):
    with pytest.raises(ArgumentError, match=r"episodes=0|seed=-1"):
        watch(PlayedScene(WORLD), episodes, seed)


def invoke(*words):
    return CliRunner(env={"COLUMNS": "100", "TERM": "dumb"}).invoke(app, ["play", *map(str, words)])


def test_the_command_writes_a_gif(tmp_path):
    path = tmp_path / "out.gif"
    result = invoke("catapult", "--method", "naive", "--delay", 3, "--size", 320, "--video", path)
    assert result.exit_code == 0, result.output
    heads, row, video = (line.split() for line in result.output.splitlines())
    assert heads == ["seed", "ticks", "return", "success", "underruns", "decisions"]
    assert video == ["video", str(path)]
    with Image.open(path) as gif:
        assert gif.n_frames == int(row[1]) + 1
        assert gif.size == (320, 320 + 36)


def test_the_command_shows_several_inferences(tmp_path):
    result = invoke(WORLD, "--delay", 4, "--horizon", 2, "--max-in-flight", 2, "--video", tmp_path / "out.gif")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[1].split()[-1] == "15"


def test_the_command_writes_an_mp4_of_any_environment(tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    result = invoke("CartPole-v1", "--delay", 2, "--horizon", 2, "--video", tmp_path / "out.mp4")
    assert result.exit_code == 0, result.output
    ticks = int(result.output.splitlines()[1].split()[1])
    assert ffmpeg.count_frames_and_secs(str(tmp_path / "out.mp4"))[0] == ticks + 1


def test_the_command_opens_a_window(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    result = invoke(WORLD, "--episodes", 2)
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) == 3


def test_a_mistake_is_one_sentence(tmp_path):
    result = invoke("catapullt")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: There is no environment 'catapullt'")
    assert "Traceback" not in result.stderr
    assert invoke("catapult", "--video", tmp_path / "out.avi").stderr.startswith("error: video=")


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    result = invoke(WORLD, "--video", tmp_path / "out.mp4")
    assert result.exit_code == 2
    assert 'run `pip install "chunkenv[render]"`' in result.stderr


def test_the_help_names_the_methods():
    output = invoke("--help").output
    for method in METHODS:
        assert method in output


def test_a_video_without_a_screen_says_nothing_of_screens(tmp_path):
    pytest.importorskip("pygame")
    bare = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    for name in ("SDL_VIDEODRIVER", "XDG_RUNTIME_DIR"):
        bare.pop(name, None)
    words = ["play", "Pendulum-v1", "--video", str(tmp_path / "out.gif")]
    command = [sys.executable, "-c", "from chunkenv.cli import main; main()", *words]
    result = subprocess.run(command, env=bare, capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "out.gif").exists()
