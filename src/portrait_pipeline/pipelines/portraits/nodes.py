"""Use a trained model: portraits of a folder, and a model that runs without this project."""

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from PIL import Image

from portrait_pipeline.cyclegan.services import Checkpoint
from portrait_pipeline.folders import ListedFile
from portrait_pipeline.parameters import EvaluationParameters, PortrayingParameters
from portrait_pipeline.portrayal.batch import PhotoBatch
from portrait_pipeline.portrayal.exported import ExportedModel
from portrait_pipeline.portrayal.exporting import export_model
from portrait_pipeline.portrayal.naming import PictureWriter
from portrait_pipeline.portrayal.outcomes import COLUMNS
from portrait_pipeline.portrayal.portrayer import FacePortrayer
from portrait_pipeline.portrayal.torch_model import checkpoint_model, checkpoint_preparation
from portrait_pipeline.sample import draw_photo


def make_portraits(
    photos: list[ListedFile],
    checkpoint: Checkpoint,
    writer: PictureWriter,
    portraying: PortrayingParameters,
    evaluation: EvaluationParameters,
) -> pd.DataFrame:
    """Portray every photo of a folder; return what happened to each."""
    averaged, size_px = evaluation.use_averaged_generator, portraying.detection_size_px
    model = checkpoint_model(checkpoint, averaged, detection_size_px=size_px)
    batch = PhotoBatch(FacePortrayer([model], portraying.batch_size), writer, portraying)
    outcomes = batch.run(photos)
    return pd.DataFrame([vars(outcome) for outcome in outcomes], columns=list(COLUMNS))


def export_to_onnx(checkpoint: Checkpoint, evaluation: EvaluationParameters) -> ExportedModel:
    """Turn a trained model into ONNX, with a drawn face as the example of its input."""
    example = example_face(checkpoint_preparation(checkpoint).crop_size_px)
    return export_model(checkpoint, evaluation.use_averaged_generator, example)


def publish_model(
    exported: ExportedModel, checkpoint: Checkpoint
) -> tuple[ExportedModel, str | None]:
    """Name the run that trained the exported model, where the registry will keep it."""
    return exported, checkpoint["tracking_id"]


def example_face(size_px: int) -> UInt8[np.ndarray, "1 size size 3"]:
    """Draw a face of nobody, to go with the model as the example of its input."""
    photo = Image.fromarray(draw_photo(0, 0, 160).photo)
    return np.asarray(photo.resize((size_px, size_px), Image.Resampling.LANCZOS))[None]
