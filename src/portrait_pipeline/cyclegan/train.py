"""One training from the first step, or from where it was interrupted, to the last.

`python -m portrait_pipeline.cyclegan.train CROPS SETTINGS OUT` runs one from files alone.
"""

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import nn

from portrait_pipeline.cyclegan.augmentation import DiffAugment
from portrait_pipeline.cyclegan.batches import UnpairedBatches, steps_per_epoch
from portrait_pipeline.cyclegan.checkpoint import Fingerprint
from portrait_pipeline.cyclegan.checkpoint_files import FileCheckpointStore, write_checkpoint
from portrait_pipeline.cyclegan.data import TrainingData, data_hash, embed_real_faces
from portrait_pipeline.cyclegan.device_pictures import place_pictures
from portrait_pipeline.cyclegan.distributed import for_device, start_fabric
from portrait_pipeline.cyclegan.loop import Training, TrainingLoop
from portrait_pipeline.cyclegan.monitoring import refuse_slow_training
from portrait_pipeline.cyclegan.run_files import FileTracker, read_crops, read_settings
from portrait_pipeline.cyclegan.schedule import needs_embedder
from portrait_pipeline.cyclegan.services import Checkpoint, Embedder, Services
from portrait_pipeline.cyclegan.state import build_state
from portrait_pipeline.cyclegan.step import StepContext
from portrait_pipeline.errors import PortraitPipelineError, TrainingInterruptedError
from portrait_pipeline.identity import load_embedder
from portrait_pipeline.parameters import TrainingParameters

logger = logging.getLogger("portrait_pipeline.cyclegan.train")


def train_cyclegan(
    data: TrainingData,
    parameters: TrainingParameters,
    services: Services,
    *,
    model_name: str,
    preparation: Mapping[str, Any],
    embedder: Embedder | None = None,
) -> Checkpoint:
    """Train one model and return its checkpoint, the state after the last step.

    Args:
        data: Training pictures; real embeddings that a perceptual term needs and that are not
            among them are made first.
        parameters: With `resume` true it goes on where the store's last state was taken, bit for
            bit on a CPU, and in the same run of the tracker; with nothing stored it begins anew,
            with the networks of `initial_checkpoint` if one is named.
        services: Tracker, store and validation.
        model_name: How the model is called in the checkpoint and by the tracker.
        preparation: Settings that the crops were made with, kept for later use of the model.
        embedder: The teacher; not needed, and not used, when there is no perceptual term.

    Raises:
        PortraitPipelineError: if the data do not fit, no accelerator is seen and none is waived,
            or the stored state is of another training.
        TrainingDivergedError: if a loss is not finite.
        TrainingInterruptedError: after Ctrl-C, SIGTERM or SIGHUP, when the state has been saved.
    """
    data.check(parameters.image_size_px)
    data = data.limited(parameters.num_training_pairs, parameters.seed)
    if needs_embedder(parameters) and embedder is None:
        raise PortraitPipelineError(
            f"lambda_perceptual is {parameters.lambda_perceptual:g}, which needs a teacher, but no"
            " face network was given; name one with `--params teacher=dlib`"
        )
    fabric = start_fabric(parameters)
    num_pictures = max(len(data.photos), len(data.paintings))
    per_epoch = steps_per_epoch(num_pictures, parameters.batch_size, fabric.world_size)
    refuse_slow_training(parameters, per_epoch * parameters.num_epochs)
    parameters = for_device(parameters, fabric.device)
    dumps = parameters.model_dump(), dict(preparation)
    fingerprint = Fingerprint(model_name, *dumps, data_hash(data))
    training = _prepare(data, parameters, fabric, embedder)
    return TrainingLoop(training, fingerprint, services).run()


def _prepare(
    data: TrainingData, parameters: TrainingParameters, fabric: Fabric, embedder: Embedder | None
) -> Training:
    teacher = embedder if needs_embedder(parameters) else None
    if isinstance(teacher, nn.Module):
        teacher = teacher.to(fabric.device)
    if teacher is None:
        data = replace(data, real_embeddings=None)
    elif data.real_embeddings is None:
        data = replace(data, real_embeddings=embed_real_faces(teacher, data, fabric.device))
    data = data.with_embeddings_on(fabric.device)
    batches = UnpairedBatches(
        data=data,
        batch_size=parameters.batch_size,
        horizontal_flip=parameters.horizontal_flip,
        seed=parameters.seed,
        rank=fabric.global_rank,
        world_size=fabric.world_size,
        pictures=place_pictures(data, fabric.device, parameters.max_gpu_pictures_gb),
        num_extra=parameters.extra_discriminator_pictures,
    )
    state = build_state(parameters, fabric.device, fabric.global_rank)
    augment = DiffAugment.of(parameters, fabric.global_rank)
    context = StepContext(fabric, teacher, parameters.ema_decay, augment)
    return Training(parameters, batches, context, state)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train from files, without Kedro and MLflow; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m portrait_pipeline.cyclegan.train",
        description="Train one model from crops and a settings file, without Kedro and MLflow.",
    )
    parser.add_argument("crops", type=Path, help="folder with photo_faces and painting_faces")
    parser.add_argument("settings", type=Path, help="YAML or JSON: model, training, faces")
    parser.add_argument("out", type=Path, help="folder for checkpoint.pt, log.jsonl and pictures")
    parser.add_argument("--resume", action="store_true", help="go on after the last saved step")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        _train_from_files(options.crops, options.settings, options.out, options.resume)
    except (PortraitPipelineError, TrainingInterruptedError) as error:
        logger.error("%s", error)
        return 1
    return 0


def _train_from_files(crops: Path, settings: Path, out: Path, resume: bool) -> None:
    run = read_settings(settings)
    training = run.training.model_copy(update={"resume": resume or run.training.resume})
    teacher = (
        load_embedder(training.teacher, training.teacher_weights, run.faces["margin"])
        if needs_embedder(training)
        else None
    )
    checkpoint = train_cyclegan(
        read_crops(crops),
        training,
        Services(FileTracker(out), FileCheckpointStore(out / "training", use_previous=False)),
        model_name=run.model,
        preparation=run.faces,
        embedder=teacher,
    )
    if int(os.environ.get("RANK", "0")) == 0:
        write_checkpoint(out / "checkpoint.pt", checkpoint)
        logger.info("%s: the checkpoint is %s", run.model, out / "checkpoint.pt")


if __name__ == "__main__":
    sys.exit(main())
