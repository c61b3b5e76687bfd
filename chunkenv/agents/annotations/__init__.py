"""Encoders of frames that are trained before any task: by annotations, and by what moving a crop would find of them."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.annotations.annotation_learning import AnnotatedFrames
    from chunkenv.agents.annotations.annotation_settings import ANNOTATIONS, AnnotationSettings
    from chunkenv.agents.annotations.crops import cut, draw_boxes, move_between
    from chunkenv.agents.annotations.frame_encoder import EncoderSize, FrameEncoder, load_encoder, random_encoder

__all__ = [
    "ANNOTATIONS",
    "AnnotatedFrames",
    "AnnotationSettings",
    "EncoderSize",
    "FrameEncoder",
    "cut",
    "draw_boxes",
    "load_encoder",
    "move_between",
    "random_encoder",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "annotation_learning": "AnnotatedFrames",
        "annotation_settings": "ANNOTATIONS AnnotationSettings",
        "crops": "cut draw_boxes move_between",
        "frame_encoder": "EncoderSize FrameEncoder load_encoder random_encoder",
    },
    "agents",
)
