"""Execution strategies: policies over policies, which see the request and return a chunk.

    Naive               the policy's chunk, as it is
    TemporalEnsembling  a mean over all chunks of the episode                        (Zhao et al. 2023)
    BID                 the best of many samples                                     (Liu et al. 2024)
    BestOf              the sample that a critic values most                         (Li et al. 2025)
    Subgoals            asked for a sub-goal, which is chosen first                  (Park et al. 2025)
    AdaptiveHorizon     asked again where samples disagree more than usual
    DVAC                asked again where the last denoising steps do                (Feng et al. 2026)
    RandomHorizon       asked again at random: what these two are compared with
    RTC                 inpainted around what is left of the last chunk              (Black et al. 2025)
    HardMasking         the same, but for the frozen rows only
    PAINT               from the noise that leads to what will run                   (Ho et al. 2026)
    TrainingTimeRTC     a policy trained to continue a prefix                        (Black et al. 2025b)
    SoftTrainingTimeRTC the same, with the rest of the last chunk given in part      (Liu et al. 2026)
    REMAC               tuned to go on from its own plans, from the last of them     (Wang et al. 2026)
    PredictedState      asked where a model of the world is when the prefix has run
    VLASH               the same for the robot alone, a policy trained so            (Tang et al. 2025)
    JacobianReflex      corrected every tick, to first order, by what is observed    (Karpov 2026)

The method 'synchronous' is no strategy: it is the plain policy in an environment made with `overlap=False`.

Each has `infer(observation, request)`, `infer_batch(observations, request)`, `reset()` and `cost`, and refuses a policy
that lacks what it needs. docs/reference/strategies.md says what that is, and docs/howto/strategies.md how a policy of
your own plugs in.
"""

from chunkenv.strategies.combining import BID, BestOf, TemporalEnsembling
from chunkenv.strategies.continuation import PAINT, REMAC, RTC, HardMasking, SoftTrainingTimeRTC, TrainingTimeRTC
from chunkenv.strategies.costs import Cost, cost_of, measure_latency
from chunkenv.strategies.denoiser import Denoiser, PrefixDenoiser, SoftDenoiser
from chunkenv.strategies.horizons import DVAC, AdaptiveHorizon, RandomHorizon
from chunkenv.strategies.naive import Naive
from chunkenv.strategies.prediction import VLASH, JacobianDenoiser, JacobianReflex, PredictedState, WorldModel
from chunkenv.strategies.prefix_weights import prefix_weights, request_weights
from chunkenv.strategies.requests import plan_left, request_of, stack_requests
from chunkenv.strategies.strategy import Strategy
from chunkenv.strategies.subgoals import Subgoals

__all__ = [
    "BID",
    "DVAC",
    "PAINT",
    "REMAC",
    "RTC",
    "VLASH",
    "AdaptiveHorizon",
    "BestOf",
    "Cost",
    "Denoiser",
    "HardMasking",
    "JacobianDenoiser",
    "JacobianReflex",
    "Naive",
    "PredictedState",
    "PrefixDenoiser",
    "RandomHorizon",
    "SoftDenoiser",
    "SoftTrainingTimeRTC",
    "Strategy",
    "Subgoals",
    "TemporalEnsembling",
    "TrainingTimeRTC",
    "WorldModel",
    "cost_of",
    "measure_latency",
    "plan_left",
    "prefix_weights",
    "request_of",
    "request_weights",
    "stack_requests",
]
