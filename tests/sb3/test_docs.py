"""What docs/howto/sb3.md and docs/howto/other_libraries.md show, runs."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs" / "howto"


def snippets(page):
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("code", [*snippets("sb3.md"), "\n".join(snippets("other_libraries.md"))])
def test_the_code_on_the_pages_runs(code):
    exec(compile(code, "docs", "exec"), {})


def test_the_string_for_the_zoo_is_the_buffer():
    (string,) = re.findall(r'replay_buffer_class: "(.*)"', (DOCS / "sb3.md").read_text())
    assert eval(string).__name__ == "ChunkReplayBuffer"


def test_tensorboard_writes_a_log(tmp_path):
    from chunkenv.sb3 import chunk_ppo, make_sb3_env

    env = make_sb3_env("CartPole-v1", prediction_horizon=2)
    chunk_ppo(env, n_steps=16, batch_size=16, device="cpu", tensorboard_log=str(tmp_path)).learn(16)
    assert list(tmp_path.rglob("events.out.tfevents*"))
