"""Agents: the Q-chunking family and how to register your own, flow policies and their weights, PPO, a planner."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.cfgrl import CFGRL, CFGRLSettings
    from chunkenv.agents.co_rft import CORFT, CORFTSettings
    from chunkenv.agents.common import (
        AgentSettings,
        Info,
        Learner,
        Params,
        as_tree,
        best_chunks,
        critic_values,
        fill_unplayed,
        initial_critics,
        mean_counted,
        window_actions,
    )
    from chunkenv.agents.common.optim import averaged_weights, make_optimizer, renew_bases, with_optimizer
    from chunkenv.agents.common.optim.splus import splus
    from chunkenv.agents.delay_aware import (
        DeflectSettings,
        HeadSettings,
        ModelSettings,
        Preference,
        RemacSettings,
        SelfConditioning,
    )
    from chunkenv.agents.dqc import DQC, DQCSettings
    from chunkenv.agents.flow_matching import FlowSettings
    from chunkenv.agents.infom import InFOM, InFOMSettings
    from chunkenv.agents.nets import Architecture, Sizes, initial_one_step, one_step_chunks
    from chunkenv.agents.policies import (
        BehaviourPolicy,
        ChunkPolicy,
        CorrectionHead,
        Expert,
        FlowPolicy,
        LearnedModel,
        choose_subgoals,
        chunk_values,
        load_best_expert,
        load_correction_head,
        load_expert,
        load_experts,
        load_flow_policy,
        load_learned_model,
        run_folder,
    )
    from chunkenv.agents.policies.guided_policy import GuidedPolicy
    from chunkenv.agents.ppo import PPOSettings, ppo_settings
    from chunkenv.agents.pretrained.flows import load_pretrained
    from chunkenv.agents.pretrained.heads import load_head
    from chunkenv.agents.pretrained.learned_models import load_model
    from chunkenv.agents.qc import QC, QCSettings
    from chunkenv.agents.qc_fql import QCFQL, QCFQLSettings
    from chunkenv.agents.registry import RECIPES, Recipe, create, load_agent, register, settings_for
    from chunkenv.agents.rlpd import RLPD, RLPDSettings
    from chunkenv.agents.sampling_planner import Planner, PlannerSettings, planner_settings
    from chunkenv.agents.sharsa import SHARSA, SHARSASettings

__all__ = [
    "CFGRL",
    "CORFT",
    "DQC",
    "QC",
    "QCFQL",
    "RECIPES",
    "RLPD",
    "SHARSA",
    "AgentSettings",
    "Architecture",
    "BehaviourPolicy",
    "CFGRLSettings",
    "CORFTSettings",
    "ChunkPolicy",
    "CorrectionHead",
    "DQCSettings",
    "DeflectSettings",
    "Expert",
    "FlowPolicy",
    "FlowSettings",
    "GuidedPolicy",
    "HeadSettings",
    "InFOM",
    "InFOMSettings",
    "Info",
    "LearnedModel",
    "Learner",
    "ModelSettings",
    "PPOSettings",
    "Params",
    "Planner",
    "PlannerSettings",
    "Preference",
    "QCFQLSettings",
    "QCSettings",
    "RLPDSettings",
    "Recipe",
    "RemacSettings",
    "SHARSASettings",
    "SelfConditioning",
    "Sizes",
    "as_tree",
    "averaged_weights",
    "best_chunks",
    "choose_subgoals",
    "chunk_values",
    "create",
    "critic_values",
    "fill_unplayed",
    "initial_critics",
    "initial_one_step",
    "load_agent",
    "load_best_expert",
    "load_correction_head",
    "load_expert",
    "load_experts",
    "load_flow_policy",
    "load_head",
    "load_learned_model",
    "load_model",
    "load_pretrained",
    "make_optimizer",
    "mean_counted",
    "one_step_chunks",
    "planner_settings",
    "ppo_settings",
    "register",
    "renew_bases",
    "run_folder",
    "settings_for",
    "splus",
    "window_actions",
    "with_optimizer",
]
__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "cfgrl": "CFGRL CFGRLSettings",
        "co_rft": "CORFT CORFTSettings",
        "common": "AgentSettings Info Learner Params as_tree best_chunks critic_values fill_unplayed initial_critics "
        "mean_counted window_actions",
        "common.optim": "averaged_weights make_optimizer renew_bases with_optimizer",
        "common.optim.splus": "splus",
        "infom": "InFOM InFOMSettings",
        "delay_aware": "DeflectSettings HeadSettings ModelSettings Preference RemacSettings SelfConditioning",
        "dqc": "DQC DQCSettings",
        "flow_matching": "FlowSettings",
        "nets": "Architecture Sizes initial_one_step one_step_chunks",
        "policies": "BehaviourPolicy ChunkPolicy CorrectionHead Expert FlowPolicy LearnedModel choose_subgoals "
        "chunk_values load_best_expert load_correction_head load_expert load_experts load_flow_policy "
        "load_learned_model run_folder",
        "policies.guided_policy": "GuidedPolicy",
        "ppo": "PPOSettings ppo_settings",
        "pretrained.flows": "load_pretrained",
        "pretrained.heads": "load_head",
        "pretrained.learned_models": "load_model",
        "qc": "QC QCSettings",
        "qc_fql": "QCFQL QCFQLSettings",
        "registry": "RECIPES Recipe create load_agent register settings_for",
        "rlpd": "RLPD RLPDSettings",
        "sampling_planner": "Planner PlannerSettings planner_settings",
        "sharsa": "SHARSA SHARSASettings",
    },
    "agents",
)
