"""From a checkpoint to the folder of a model that needs neither PyTorch nor this project's folders.

`python -m portrait_pipeline.portrayal.shipping CHECKPOINT …` replaces the model of the package.
"""

import argparse
import hashlib
import importlib.metadata
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from jaxtyping import UInt8
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from portrait_pipeline import __version__
from portrait_pipeline.cyclegan.checkpoint_files import read_checkpoint
from portrait_pipeline.cyclegan.services import Checkpoint
from portrait_pipeline.cyclegan.translate import load_mean_generator, translate
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import whole_folder
from portrait_pipeline.images import to_model_range
from portrait_pipeline.metrics.ssim import ssim
from portrait_pipeline.portrayal.exported import GENERATOR, ExportedModel, exported_model
from portrait_pipeline.portrayal.exporting import export_model
from portrait_pipeline.portrayal.shipped import (
    CARD,
    FOLDER,
    FORMAT,
    NETWORK_FILES,
    PHOTOS_FILE,
    ModelCard,
)
from portrait_pipeline.portrayal.torch_model import checkpoint_preparation
from portrait_pipeline.sample import draw_photo

MAX_FOLDER_BYTES = 25_000_000
MIN_PARITY = 0.999
"""Mean SSIM of the portraits by the checkpoint and by the shipped model."""
NUM_PARITY_FACES = 8
MIN_HALVED_VALUES = 64
"""Smaller tensors, such as biases, stay in float32."""
DETECTOR_PACKAGE = "facenet-pytorch"
DETECTOR_LICENCE_FILE = "LICENSE_face_detector.txt"

logger = logging.getLogger("portrait_pipeline.portrayal.shipping")


@dataclass(frozen=True)
class About:
    """What a checkpoint does not say about its model; see `ModelCard` and `ShippedModel`."""

    version: str
    label: str
    trained_on: str
    licence: str
    training_photos: tuple[str, ...] = ()


def ship_model(
    checkpoints: Sequence[Checkpoint], about: About, folder: Path, averaged: bool = True
) -> ModelCard:
    """Write the folder of a model, which replaces the one that is there.

    Args:
        checkpoints: A trained model, or several whose portraits are averaged; the first one names
            the model.
        about: What its card says.
        folder: Where to write.
        averaged: Take the running average of the generator's weights.

    Raises:
        PortraitPipelineError: if float16 weights change its portraits, or it is too large.
    """
    checkpoint, *others = checkpoints
    size_px = checkpoint_preparation(checkpoint).crop_size_px
    faces = drawn_faces(NUM_PARITY_FACES, size_px)
    full = export_model(checkpoint, averaged, faces[:1], others)
    networks = {**full.networks, GENERATOR: with_half_weights(full.networks[GENERATOR])}
    parity = _parity(checkpoints, averaged, ExportedModel(networks, faces[:1]), faces)
    if parity < MIN_PARITY:
        raise PortraitPipelineError(
            f"with float16 weights the portraits of {checkpoint['model']} have an SSIM of"
            f" {parity:.4f} to those of its checkpoint, expected at least {MIN_PARITY}"
        )
    files = {NETWORK_FILES[name]: network for name, network in networks.items()}
    files[PHOTOS_FILE] = "".join(f"{photo}\n" for photo in about.training_photos).encode()
    num_bytes = sum(map(len, files.values()))
    if num_bytes > MAX_FOLDER_BYTES:
        raise PortraitPipelineError(
            f"the model has {num_bytes / 1e6:.1f} MB, expected at most"
            f" {MAX_FOLDER_BYTES / 1e6:.0f}: train one with fewer filters"
        )
    card = _card(checkpoint["model"], size_px, about, files)
    _write(folder, card, files)
    logger.info("%s: %.1f MB, SSIM to the checkpoint %.5f", card.title, num_bytes / 1e6, parity)
    return card


def with_half_weights(network: bytes) -> bytes:
    """Store the large weights of an ONNX network in float16; it computes in float32 as before.

    Raises:
        PortraitPipelineError: if a weight is outside the range of float16.
    """
    model = onnx.load_from_string(network)
    casts = []
    for tensor in model.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or weights.size < MIN_HALVED_VALUES:
            continue
        if np.abs(weights).max() > np.finfo(np.float16).max:
            raise PortraitPipelineError(
                f"{tensor.name} holds {np.abs(weights).max():g}, expected weights of a trained"
                " model in the range of float16"
            )
        stored = f"{tensor.name}_half"
        casts.append(helper.make_node("Cast", [stored], [tensor.name], to=TensorProto.FLOAT))
        tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), stored))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def drawn_faces(count: int, size_px: int) -> UInt8[np.ndarray, "count size size 3"]:
    """Draw faces of nobody as crops of a size."""
    photos = (Image.fromarray(draw_photo(index, 0, 160).photo) for index in range(count))
    shown = [photo.resize((size_px, size_px), Image.Resampling.LANCZOS) for photo in photos]
    return np.stack([np.asarray(photo) for photo in shown])


def hashes_of_training_photos(
    checkpoints: Sequence[Checkpoint], audit: pd.DataFrame
) -> tuple[str, ...]:
    """Look up the perceptual hashes of the photographs that checkpoints were trained on.

    Args:
        checkpoints: Trained models that say which pictures they have seen.
        audit: Of its ingestion: `domain`, `content_hash` and `perceptual_hash` of each picture.

    Raises:
        PortraitPipelineError: if the checkpoint does not say, or the audit is another ingestion's.
    """
    found: set[str] = set()
    for checkpoint in checkpoints:
        seen = (checkpoint.get("provenance") or {}).get("pictures") or []
        of_training = audit[audit["content_hash"].isin(set(seen)) & (audit["domain"] == "photo")]
        if of_training.empty:
            raise PortraitPipelineError(
                f"none of the {len(seen)} pictures that {checkpoint['model']} says it was trained"
                " on is a photograph of the audit, expected the ingestion_audit.csv of its own"
                " workspace"
            )
        found |= set(of_training["perceptual_hash"])
    return tuple(sorted(found))


def _read_audit(path: Path | None) -> pd.DataFrame | None:
    return None if path is None else pd.read_csv(path, dtype="str", keep_default_na=False)


def _parity(
    checkpoints: Sequence[Checkpoint],
    averaged: bool,
    shipped: ExportedModel,
    faces: UInt8[np.ndarray, "n size size 3"],
) -> float:
    """Return the mean SSIM of the portraits by the checkpoints and by what is shipped of them."""
    generator = load_mean_generator(checkpoints, "photo_to_portrait", averaged)
    original = translate(generator, faces, len(faces))
    portraits = exported_model(shipped).painter(faces)
    return float(ssim(to_model_range(original), to_model_range(portraits), (-1.0, 1.0)).mean())


def _card(name: str, size_px: int, about: About, files: dict[str, bytes]) -> ModelCard:
    return ModelCard(
        format=FORMAT,
        name=name,
        size_px=size_px,
        version=about.version,
        label=about.label,
        trained_on=about.trained_on,
        licence=about.licence,
        detector_licence=f"MIT, {DETECTOR_PACKAGE}; see {DETECTOR_LICENCE_FILE}",
        made_by=f"portrait_pipeline {__version__}",
        sha256={file: hashlib.sha256(content).hexdigest() for file, content in files.items()},
    )


def _write(folder: Path, card: ModelCard, files: dict[str, bytes]) -> None:
    licence = importlib.metadata.distribution(DETECTOR_PACKAGE).read_text("LICENSE.md") or ""
    with whole_folder(folder) as part:
        for name, content in files.items():
            (part / name).write_bytes(content)
        (part / DETECTOR_LICENCE_FILE).write_text(licence, encoding="utf-8")
        text = json.dumps(card.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (part / CARD).write_text(f"{text}\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Ship a model from the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m portrait_pipeline.portrayal.shipping",
        description="Make the model that comes with the package from a checkpoint.",
    )
    parser.add_argument(
        "checkpoints",
        type=Path,
        nargs="+",
        metavar="CHECKPOINT",
        help="checkpoint.pt of a training; of several the portraits are averaged",
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / FOLDER)
    parser.add_argument("--version", required=True, help="of the model, such as 2026.11")
    parser.add_argument("--label", required=True, help="how far to trust it: preliminary, …")
    parser.add_argument("--trained-on", required=True, help="the pictures, in a sentence")
    parser.add_argument("--audit", type=Path, help="ingestion_audit.csv of the training's pictures")
    parser.add_argument("--licence", default="Apache-2.0", help="of the weights")
    parser.add_argument("--last", action="store_true", help="the last weights, not their average")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        checkpoints = [read_checkpoint(path) for path in given.checkpoints]
        audit = _read_audit(given.audit)
        photos = () if audit is None else hashes_of_training_photos(checkpoints, audit)
        about = About(given.version, given.label, given.trained_on, given.licence, photos)
        ship_model(checkpoints, about, given.out, averaged=not given.last)
    except PortraitPipelineError as error:
        logger.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
