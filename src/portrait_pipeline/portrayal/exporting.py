"""From a checkpoint to ONNX: the generator with its pixel conversion, and the face detector."""

import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache

import numpy as np
import onnx
import torch
from facenet_pytorch import MTCNN
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.export import Dim

from portrait_pipeline.cyclegan.services import Checkpoint
from portrait_pipeline.cyclegan.translate import load_mean_generator
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.images import HALF_RANGE
from portrait_pipeline.portrayal.exported import (
    DETECTOR_NETWORKS,
    GENERATOR,
    OPSET,
    PIXEL_RANGE,
    ExportedModel,
)
from portrait_pipeline.portrayal.torch_model import checkpoint_preparation, checkpoint_teacher

DYNAMIC = Dim.DYNAMIC
REFINER_PX, OUTPUT_PX = 24, 48


class PixelGenerator(nn.Module):
    """A generator with uint8 pixels as input and output, so that the range is unambiguous.

    Args:
        generator: Maps images to images, NCHW in [-1, 1].
    """

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(
        self, photos: UInt8[Tensor, "batch height width 3"]
    ) -> UInt8[Tensor, "batch height width 3"]:
        """Translate as `images.to_model_range`, the generator and `images.to_pixels` do."""
        images = photos.permute(0, 3, 1, 2).to(torch.float32) / HALF_RANGE - 1.0
        portraits = ((self.generator(images) + 1.0) * HALF_RANGE).round().clamp(0.0, 255.0)
        pixels: Tensor = portraits.to(torch.uint8).permute(0, 2, 3, 1)
        return pixels


class DetectorNetwork(nn.Module):
    """One of MTCNN's networks with its own input scaling, (x - 127.5) / 128.

    Args:
        network: P-, R- or O-net.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Float[Tensor, "batch 3 height width"]) -> tuple[Tensor, ...]:
        """Run the network on RGB in [0, 255]."""
        outputs: tuple[Tensor, ...] = self.network((pixels - 127.5) / 128)
        return outputs


def export_model(
    checkpoint: Checkpoint,
    averaged: bool,
    example: UInt8[np.ndarray, "1 size size 3"],
    others: Sequence[Checkpoint] = (),
) -> ExportedModel:
    """Export the photo-to-portrait generator of a checkpoint and the detector it needs.

    Args:
        checkpoint: A trained model.
        averaged: Take the running average of the weights.
        example: A face crop of the size that the model was trained at.
        others: Models whose portraits are averaged with its own.

    Raises:
        PortraitPipelineError: if a checkpoint is of another architecture or has no preparation, or
            another preparation or teacher than the first.
    """
    preparation, teacher = checkpoint_preparation(checkpoint), checkpoint_teacher(checkpoint)
    checkpoints = (checkpoint, *others)
    if any(checkpoint_preparation(other) != preparation for other in others):
        raise PortraitPipelineError(
            f"{len(checkpoints)} checkpoints were trained on faces prepared in different ways,"
            " expected the same size, margin and detection for all whose portraits are averaged"
        )
    if any(checkpoint_teacher(other) != teacher for other in others):
        raise PortraitPipelineError(
            f"{len(checkpoints)} checkpoints were taught by different face networks, expected one"
            " for all whose portraits are averaged, so that no judge is a teacher"
        )
    detector = _exported_detector()
    about = {
        "model": checkpoint["model"],
        "direction": "photo_to_portrait",
        "image_size_px": str(preparation.crop_size_px),
        "pixel_range": PIXEL_RANGE,
        "preparation": preparation.model_dump_json(),
        "detector": detector.settings,
        "teacher": teacher or "",
        "averaged": str(averaged).lower(),
        "opset": str(OPSET),
        "step": ", ".join(str(each["step"]) for each in checkpoints),
        "data_hash": ", ".join(dict.fromkeys(each["data_hash"] for each in checkpoints)),
    }
    mean = load_mean_generator(checkpoints, "photo_to_portrait", averaged)
    generator = PixelGenerator(mean).eval()
    networks = {GENERATOR: _generator_to_onnx(generator, example, about), **detector.networks}
    return ExportedModel(networks, example)


@dataclass(frozen=True)
class _ExportedDetector:
    networks: Mapping[str, bytes]
    settings: str


@cache
def _exported_detector() -> _ExportedDetector:
    """Export MTCNN, which takes seconds and is the same for every model: once in a process."""
    detector = MTCNN(device=torch.device("cpu"))
    parts = (detector.pnet, detector.rnet, detector.onet)
    networks = {
        name: _detector_to_onnx(name, network)
        for name, network in zip(DETECTOR_NETWORKS, parts, strict=True)
    }
    settings = {"thresholds": list(detector.thresholds), "factor": detector.factor}
    return _ExportedDetector(networks, json.dumps(settings))


def _generator_to_onnx(
    generator: nn.Module, example: UInt8[np.ndarray, "1 size size 3"], about: Mapping[str, str]
) -> bytes:
    photos = torch.from_numpy(np.repeat(example, 2, axis=0))  # a batch of 1 would be made constant
    return _to_onnx(generator, photos, {0: DYNAMIC}, ["photos"], ["portraits"], about)


def _detector_to_onnx(name: str, network: nn.Module) -> bytes:
    size_px = {"proposer": 64, "refiner": REFINER_PX, "output": OUTPUT_PX}[name]
    free = {0: DYNAMIC, 2: DYNAMIC, 3: DYNAMIC} if name == "proposer" else {0: DYNAMIC}
    pixels = torch.zeros((2, 3, size_px, size_px + 8 if name == "proposer" else size_px))
    outputs = ["offsets", "probabilities"]
    if name == "output":
        outputs.insert(1, "landmarks")
    about = {"pixel_range": "float32 RGB in [0, 255], batch x 3 x height x width"}
    return _to_onnx(DetectorNetwork(network).eval(), pixels, free, ["pixels"], outputs, about)


def _to_onnx(
    network: nn.Module,
    example: Tensor,
    free: Mapping[int, object],
    inputs: list[str],
    outputs: list[str],
    about: Mapping[str, str],
) -> bytes:
    with _quiet():
        program = torch.onnx.export(
            network,
            (example,),
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=(dict(free),),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("the exporter returned nothing")
    program.model.metadata_props.update(about)
    return _without_traces(program.model_proto)


def _without_traces(model: onnx.ModelProto) -> bytes:
    """Leave out what the exporter notes at each node: lines of code, with paths of this machine."""
    parts = [model.graph, *model.functions]
    named = [part for each in parts for part in (each, *each.node, *each.value_info)]
    named += [*model.graph.initializer, *model.graph.input, *model.graph.output]
    for part in named:
        part.doc_string = ""
        del part.metadata_props[:]
    return bytes(model.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the exporter's many warnings about its own future versions."""
    talkers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [talker.level for talker in talkers]
    for talker in talkers:
        talker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for talker, level in zip(talkers, levels, strict=True):
            talker.setLevel(level)
