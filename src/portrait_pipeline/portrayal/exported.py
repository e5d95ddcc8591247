"""An exported model: ONNX networks and their metadata, used without PyTorch."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnxruntime
from jaxtyping import UInt8

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.cascade import FaceCascade
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.files import parse_json
from portrait_pipeline.parameters import FaceParameters
from portrait_pipeline.portrayal.portrayer import (
    DETECTION_SIZE_PX,
    PortraitModel,
    preparation_for_use,
)

OPSET = 20
GENERATOR = "generator"
DETECTOR_NETWORKS = ("proposer", "refiner", "output")
PIXEL_RANGE = "uint8 RGB in [0, 255], batch x height x width x 3, for input and output"


@dataclass(frozen=True)
class ExportedModel:
    """A generator and the three networks of its face detector, each as an ONNX file.

    The generator's metadata states how to prepare its input, so that its file is usable alone.

    Attributes:
        networks: Serialised ONNX by name: `generator`, `proposer`, `refiner`, `output`.
        example: One uint8 face crop (1, size, size, 3) as the generator takes it.
    """

    networks: Mapping[str, bytes]
    example: UInt8[np.ndarray, "1 size size 3"]


# The name of a tensor's file, as a protocol buffer writes it; lengths may be padded with zeros.
_EXTERNAL_FILE = re.compile(rb"(\n|\x8a\x80*\0)(\x08|\x88\x80*\0)location")


def refuse_external_data(network: bytes) -> None:
    """Refuse an ONNX network that keeps weights in other files.

    ONNX Runtime would read them from wherever the network says, seen from the current folder. An
    exported model of this project is one file for each network.

    Raises:
        PortraitPipelineError: if it names such a file, in whatever part of the network.
    """
    if _EXTERNAL_FILE.search(network):
        raise PortraitPipelineError(
            "the exported model names further files with weights (external data), expected all"
            " weights in one file; export it again with `kedro run --pipeline=export`"
        )


def open_session(network: bytes, num_threads: int = 0) -> onnxruntime.InferenceSession:
    """Make an ONNX Runtime session on the CPU; 0 threads means one for each core.

    Raises:
        PortraitPipelineError: if the bytes are no ONNX network, or it reads other files.
    """
    refuse_external_data(network)
    onnxruntime.disable_telemetry_events()  # its build for Windows reads no variable
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.log_severity_level = 3
    # Its own format is no protocol buffer, and can name files too.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common class of their own
        raise PortraitPipelineError(
            f"the exported model cannot be read ({error}); export it again with"
            " `kedro run --pipeline=export`"
        ) from error


def model_metadata(session: onnxruntime.InferenceSession) -> dict[str, str]:
    """Return the metadata in the generator's file."""
    return dict(session.get_modelmeta().custom_metadata_map)


def exported_model(
    exported: ExportedModel, num_threads: int = 0, detection_size_px: int = DETECTION_SIZE_PX
) -> PortraitModel:
    """Make an exported model ready to use.

    Args:
        exported: The networks.
        num_threads: For each network; 0 means one for each core.
        detection_size_px: Photos are searched for faces in this size, or in that of the training
            where it is larger.

    Raises:
        PortraitPipelineError: if a network or its metadata is missing or broken.
    """
    missing = {GENERATOR, *DETECTOR_NETWORKS} - set(exported.networks)
    if missing:
        raise PortraitPipelineError(
            f"the exported model lacks {', '.join(sorted(missing))}; export it again with"
            " `kedro run --pipeline=export`"
        )
    session = open_session(exported.networks[GENERATOR], num_threads)
    metadata = model_metadata(session)
    try:
        preparation = FaceParameters.model_validate_json(metadata["preparation"])
        detector = parse_json(metadata["detector"])
        first, second, third = map(float, detector["thresholds"])
        factor = float(detector["factor"])
        name = metadata["model"]
    except (KeyError, ValueError, TypeError) as error:  # pydantic's errors are ValueErrors
        raise PortraitPipelineError(
            f"the exported model does not say how faces are prepared ({error}); export it again"
            " with `kedro run --pipeline=export`"
        ) from error
    propose, refine, output = (
        _runner(open_session(exported.networks[name], num_threads)) for name in DETECTOR_NETWORKS
    )
    cascade = FaceCascade(propose, refine, output, (first, second, third), factor)
    searching = preparation_for_use(preparation, detection_size_px)
    finder = FaceDetector(searching, cascade=cascade)
    teacher = metadata.get("teacher") or None
    size_px = searching.detection_size_px
    return PortraitModel(name, preparation, finder, _painter(session), teacher, size_px)


def _runner(session: onnxruntime.InferenceSession) -> Callable[[np.ndarray], list[np.ndarray]]:
    (argument,) = (value.name for value in session.get_inputs())

    def run(pixels: np.ndarray) -> list[np.ndarray]:
        outputs: list[np.ndarray] = session.run(None, {argument: np.ascontiguousarray(pixels)})
        return outputs

    return run


def _painter(session: onnxruntime.InferenceSession) -> Callable[[np.ndarray], np.ndarray]:
    run = _runner(session)

    def paint(photos: UInt8[np.ndarray, "n size size 3"]) -> UInt8[np.ndarray, "n size size 3"]:
        (portraits,) = run(photos)
        return portraits

    return paint
