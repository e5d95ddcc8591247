"""What is known of one picture file: measured once, kept under the hash of its content."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import UnionType
from typing import Protocol

import imagehash
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from portrait_pipeline.faces.crop import centre_transform, crop_face, crop_transform
from portrait_pipeline.faces.detection import Detection, FaceFault, Finding
from portrait_pipeline.files import parse_json
from portrait_pipeline.parameters import FaceParameters
from portrait_pipeline.pictures import PictureFault, ReducedPicture

RECORD_VERSION = 6
"""To be raised whenever the same file would be measured differently."""
MEASURED_SIZE_PX = 96
"""Edge of the face crop on which sharpness, brightness and colour are measured."""
HUE_SIZE_PX = 24
"""Edge to which it is shrunk for its colours: the noise of JPEG does not count as colour."""
LUMA = np.array([0.299, 0.587, 0.114])

Fault = PictureFault | FaceFault
_KINDS: dict[str, type | UnionType] = {
    **dict.fromkeys(("content_hash", "perceptual_hash", "detail"), str),
    **dict.fromkeys(("width_px", "height_px"), int),
    **dict.fromkeys(("sharpness", "brightness", "colourfulness"), int | float),
    "fault": str | None,
}


@dataclass(frozen=True)
class PictureRecord:
    """Everything about a picture file that depends on nothing but its content and the parameters.

    Attributes:
        content_hash: SHA-256 of the file.
        fault: Why there is no usable picture or face; None when there is one.
        width_px: Width of the upright picture; 0 when it cannot be read.
        height_px: Height of the upright picture; 0 when it cannot be read.
        perceptual_hash: 64 bits as 16 hexadecimal digits; empty when it cannot be read.
        sharpness: Variance of the Laplacian of the face's luminance, which is in [0, 1]; 0 is flat.
        brightness: Mean luminance of the face, in [0, 1].
        colourfulness: Colour of the face beyond one ink, in [0, 1]; prints are near 0.
        detection: The face, or the best candidate when `fault` is held against it.
        detail: Why a file cannot be read, in the words of its decoder; empty for a picture.
    """

    content_hash: str
    fault: Fault | None
    width_px: int = 0
    height_px: int = 0
    perceptual_hash: str = ""
    sharpness: float = float("nan")
    brightness: float = float("nan")
    colourfulness: float = float("nan")
    detection: Detection | None = None
    detail: str = ""

    def to_json(self) -> str:
        """Return the record as one line of text; `from_json` reads it back exactly."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "PictureRecord":
        """Read back what `to_json` wrote; anything else raises one exception or another."""
        values = parse_json(text)
        found = values.pop("detection")
        detection = None
        if found is not None:
            detection = Detection.of_arrays(
                np.array(found["box"]), np.array(found["landmarks"]), found["probability"]
            )
        record = PictureRecord(**values, detection=detection)
        for name, kind in _KINDS.items():
            if not isinstance(getattr(record, name), kind):
                raise TypeError(f"{name} is {getattr(record, name)!r}")
        return record


class DetectionStore(Protocol):
    """Where records outlive an interrupted run. What was put is there after a crash."""

    def get(self, keys: Sequence[str]) -> dict[str, PictureRecord]:
        """Return the records that are there, by key."""

    def put(self, records: Mapping[str, PictureRecord]) -> None:
        """Keep records; all of them or, when the process dies meanwhile, none."""


def record_key(content_hash: str, parameters: FaceParameters) -> str:
    """Return the key of a picture's record: its content and what decides how it is measured."""
    decisive = parameters.model_dump(
        include={
            "min_probability",
            "min_face_px",
            "detection_size_px",
            "margin",
            "fit_in_picture",
        }
    )
    text = json.dumps([RECORD_VERSION, decisive], sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()[:16]}-{content_hash}"


def measure(
    content_hash: str, picture: ReducedPicture, finding: Finding, parameters: FaceParameters
) -> PictureRecord:
    """Measure a picture that has been searched for its face."""
    face = _face_pixels(picture, finding, parameters)
    return PictureRecord(
        content_hash=content_hash,
        fault=finding.fault,
        width_px=picture.width_px,
        height_px=picture.height_px,
        perceptual_hash=str(imagehash.phash(picture.image)),
        sharpness=sharpness(face),
        brightness=float(luminance(face).mean()),
        colourfulness=colourfulness(face),
        detection=finding.detection,
    )


def luminance(
    pixels: UInt8[np.ndarray, "height width 3"],
) -> Float[np.ndarray, "height width"]:
    """Return the luma of ITU-R BT.601, in [0, 1]."""
    return np.asarray(pixels @ LUMA / 255.0)


def sharpness(pixels: UInt8[np.ndarray, "height width 3"]) -> float:
    """Return the variance of the Laplacian of the luminance; larger is sharper, 0 is flat."""
    grey = luminance(pixels)
    ring = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((ring - 4.0 * grey[1:-1, 1:-1]).var())


def colourfulness(pixels: UInt8[np.ndarray, "height width 3"]) -> float:
    """Return how far the colours of a face spread beyond those of one ink on one paper, in [0, 1].

    One ink on one paper has one colour for each luminance; so red − luma and blue − luma of every
    pixel are predicted from its luma by a parabola, and what is left over (root mean square, in
    units of the mean luma) is colour that no single ink has. Engravings and grey or sepia
    photographs are below 0.03, faces in paint above, however dark.
    """
    small = Image.fromarray(pixels).resize((HUE_SIZE_PX, HUE_SIZE_PX), Image.Resampling.BOX)
    values = np.asarray(small, dtype=np.float64).reshape(-1, 3) / 255.0
    luma = values @ LUMA
    chroma = values[:, [0, 2]] - luma[:, None]
    parabola = np.stack([np.ones_like(luma), luma, luma**2], axis=1)
    coefficients, *_ = np.linalg.lstsq(parabola, chroma, rcond=None)
    left_over = np.sqrt(((chroma - parabola @ coefficients) ** 2).sum(axis=1).mean())
    return float(min(1.0, left_over / max(luma.mean(), 1 / 255)))


def _face_pixels(
    picture: ReducedPicture, finding: Finding, parameters: FaceParameters
) -> UInt8[np.ndarray, "height width 3"]:
    """Cut the face out as it lies: what is measured does not ask which way is up."""
    face = finding.face
    if face is None:
        transform = centre_transform(*picture.image.size)
    else:
        turned = crop_transform(face.scaled(picture.scale), parameters, picture.image.size)
        transform = replace(turned, angle_degrees=0.0)
    return crop_face(picture.image, transform, MEASURED_SIZE_PX)


def without_picture(content_hash: str, fault: PictureFault, detail: str = "") -> PictureRecord:
    """Return the record of a file that cannot be read as a picture."""
    return PictureRecord(content_hash=content_hash, fault=fault, detail=detail)
