"""The Python on pages about agents and experts runs, where the files lie that a reader has trained."""

import pytest

from chunkenv.agents import create, settings_for
from chunkenv.agents.policies.expert_checkpoints import checkpoint_path, save_expert
from tests.agents.experts import random_expert
from tests.pages import run_blocks

AGENTS = {
    "howto/cfgrl.md": ("cfgrl", {"form": "subgoals", "goal_size": 4, "delay": 2}),
    "howto/infom.md": ("infom", {}),
    "howto/sharsa.md": ("sharsa", {"goal_size": 4}),
}


@pytest.mark.parametrize("page", AGENTS)
def test_the_code_runs_with_an_agent_of_its_kind(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, given = AGENTS[page]
    settings = settings_for(name, hidden=(8, 8), **given)
    create(name, 0, 28, 5, settings).save(tmp_path / "agent.safetensors")
    scope = run_blocks(page)
    if name == "infom":
        assert scope["futures"].shape == (2, 16, 28)


def test_the_family_s_page_trains_an_agent_and_uses_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_blocks("howto/qc.md")["policy"].cost.vjps > 0


def test_the_code_runs_with_experts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = checkpoint_path(tmp_path / "results" / "experts" / "catapult" / "seed0", 100)
    path.parent.mkdir(parents=True)
    save_expert(path, random_expert(steps=100, solve_rate=0.7), {})
    scope = run_blocks("howto/experts.md")
    assert scope["actions"].shape == (4, 6)
    assert scope["solved"].shape == (64,)
