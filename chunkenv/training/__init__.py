"""Trainings that can be stopped at any time and go on to the bit: of experts, flow policies, agents of chunks."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.training.annotated_frames import FrameSource
    from chunkenv.training.annotation_training import AnnotationTraining
    from chunkenv.training.correction import HeadTraining
    from chunkenv.training.correction_labels import LabelledTicks, label_by_expert, label_by_policy
    from chunkenv.training.expert_evaluation import solved_episodes
    from chunkenv.training.goal_training import GoalTraining, GoalTrainingConfig
    from chunkenv.training.imitation import FlowTraining
    from chunkenv.training.infom_training import InFOMTraining
    from chunkenv.training.instructed_windows import InstructedWindows, SceneQuestions
    from chunkenv.training.instruction_play import InstructionPlay
    from chunkenv.training.loop import Training, resume, train
    from chunkenv.training.metrics import Metrics, read_metrics
    from chunkenv.training.model_training import ModelTraining
    from chunkenv.training.offline_online import OfflineOnlineTraining, TrainingConfig
    from chunkenv.training.on_policy import PPOTraining
    from chunkenv.training.sweep import train_once
    from chunkenv.training.vla_training import VLATraining

__all__ = [
    "AnnotationTraining",
    "FlowTraining",
    "FrameSource",
    "GoalTraining",
    "GoalTrainingConfig",
    "HeadTraining",
    "InFOMTraining",
    "InstructedWindows",
    "InstructionPlay",
    "LabelledTicks",
    "Metrics",
    "ModelTraining",
    "OfflineOnlineTraining",
    "PPOTraining",
    "SceneQuestions",
    "Training",
    "TrainingConfig",
    "VLATraining",
    "label_by_expert",
    "label_by_policy",
    "read_metrics",
    "resume",
    "solved_episodes",
    "train",
    "train_once",
]
__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "annotated_frames": "FrameSource",
        "annotation_training": "AnnotationTraining",
        "correction": "HeadTraining",
        "correction_labels": "LabelledTicks label_by_expert label_by_policy",
        "expert_evaluation": "solved_episodes",
        "goal_training": "GoalTraining GoalTrainingConfig",
        "imitation": "FlowTraining",
        "infom_training": "InFOMTraining",
        "instructed_windows": "InstructedWindows SceneQuestions",
        "instruction_play": "InstructionPlay",
        "loop": "Training resume train",
        "metrics": "Metrics read_metrics",
        "model_training": "ModelTraining",
        "offline_online": "OfflineOnlineTraining TrainingConfig",
        "on_policy": "PPOTraining",
        "sweep": "train_once",
        "vla_training": "VLATraining",
    },
    "agents",
)
