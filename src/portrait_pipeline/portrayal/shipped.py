"""The trained model that comes with the package: found where it is installed, and checked.

A model is a folder: the ONNX networks of an `ExportedModel`, perceptual hashes of the photographs
that it was trained on, and `model.json`, the model's card, which says what it is and the SHA-256 of
each file. `portrait_pipeline.portrayal.shipping` makes it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated

import numpy as np
from pydantic import Field, ValidationError

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import parse_json
from portrait_pipeline.parameters import Parameters
from portrait_pipeline.portrayal.exported import (
    DETECTOR_NETWORKS,
    GENERATOR,
    ExportedModel,
    exported_model,
)
from portrait_pipeline.portrayal.portrayer import PortraitModel

FOLDER = "pretrained"
CARD = "model.json"
FORMAT = 1
"""Of the folder; a package reads no other."""
NETWORK_FILES = {
    GENERATOR: "portrait.onnx",
    **{name: f"{name}.onnx" for name in DETECTOR_NETWORKS},
}
PHOTOS_FILE = "training_photos.txt"
"""A perceptual hash a line; empty where the checkpoint did not say."""
MAKE_IT = "`python -m portrait_pipeline.portrayal.shipping CHECKPOINT --out FOLDER`"
INSTALL_AGAIN = (
    "install the package's wheel again with `pip install --force-reinstall --no-deps WHEEL`, or in"
    f" a clone run `git checkout -- src/portrait_pipeline/{FOLDER}`"
)

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ShippedModelError(PortraitPipelineError):
    """The model that comes with the package is missing, damaged or of another version."""


class ModelCard(Parameters):
    """What a person should know about a model.

    Attributes:
        format: Of the folder, see `FORMAT`.
        name: Of the model.
        version: Of the model.
        label: How far it is to be trusted, in a word or two, such as `preliminary`.
        size_px: Edge of the crops that it paints.
        trained_on: The pictures.
        licence: Of the generator's weights.
        detector_licence: Of the networks that find faces.
        made_by: The package, with its version, that exported it.
        sha256: The hash of every file by its name.
    """

    format: int
    name: str
    version: str
    label: str
    size_px: Annotated[int, Field(ge=32)]
    trained_on: str
    licence: str
    detector_licence: str
    made_by: str
    sha256: Mapping[str, Sha256]

    @property
    def title(self) -> str:
        """Name, version, size and label in a line."""
        return f"{self.name} {self.version}, {self.size_px} px ({self.label})"


@dataclass(frozen=True)
class ShippedModel:
    """A model in memory, with its card.

    Attributes:
        card: What it is.
        exported: Its networks.
        training_photos: The perceptual hash of every photograph that it was trained on, 64 bits as
            16 hexadecimal digits; empty where that is not known.
    """

    card: ModelCard
    exported: ExportedModel
    training_photos: tuple[str, ...] = ()

    def open(self, num_threads: int = 0) -> PortraitModel:
        """Make it ready to use; 0 threads means one for each core.

        Raises:
            ShippedModelError: if this version cannot use it.
        """
        try:
            return exported_model(self.exported, num_threads)
        except PortraitPipelineError as error:
            raise ShippedModelError(
                f"the model {self.card.title} was made by {self.card.made_by} and this version"
                f" cannot use it ({error.__cause__ or error}); {INSTALL_AGAIN}, or make it again"
                f" with {MAKE_IT}"
            ) from error


def read_shipped(folder: Traversable | None = None) -> ShippedModel:
    """Read and check a model.

    Args:
        folder: Where it is; by default the one that comes with the package.

    Raises:
        ShippedModelError: if a file is missing or not what the card says, or the card is of
            another version.
    """
    place = _place(folder)
    with _unusable_told(folder):
        card = _read_card(place)
        networks = {name: _read_checked(place, file, card) for name, file in NETWORK_FILES.items()}
        photos = _read_checked(place, PHOTOS_FILE, card).decode("utf-8", "replace").split()
    blank = np.zeros((1, card.size_px, card.size_px, 3), dtype=np.uint8)
    return ShippedModel(card, ExportedModel(networks, blank), tuple(photos))


def read_shipped_card(folder: Traversable | None = None) -> ModelCard:
    """Read what a model is, without its networks; else as `read_shipped`."""
    with _unusable_told(folder):
        return _read_card(_place(folder))


def _place(folder: Traversable | None) -> Traversable:
    return resources.files("portrait_pipeline") / FOLDER if folder is None else folder


@contextmanager
def _unusable_told(folder: Traversable | None) -> Iterator[None]:
    """Say whose model cannot be used, why, and how to get it back."""
    try:
        yield
    except _UnusableError as error:
        whose = "that comes with portrait_pipeline" if folder is None else f"in {folder}"
        hint = INSTALL_AGAIN if folder is None else f"make it again with {MAKE_IT}"
        raise ShippedModelError(f"the model {whose} {error}; {hint}") from error


class _UnusableError(Exception):
    """Why a model cannot be used, as the end of a sentence that begins with `the model`."""


def _read_card(folder: Traversable) -> ModelCard:
    try:
        said = parse_json(_read(folder, CARD))
        found = said["format"]
    except (ValueError, TypeError, KeyError) as error:
        raise _UnusableError(f"is damaged ({CARD} is no model card)") from error
    if found != FORMAT:
        raise _UnusableError(
            f"is of another version (format {found!r} in {CARD}, expected {FORMAT})"
        )
    try:
        return ModelCard.model_validate(said)
    except ValidationError as error:
        fields = ", ".join(str(fault["loc"][0]) for fault in error.errors() if fault["loc"])
        raise _UnusableError(f"is damaged ({CARD} is wrong at {fields})") from error


def _read_checked(folder: Traversable, name: str, card: ModelCard) -> bytes:
    content = _read(folder, name)
    if hashlib.sha256(content).hexdigest() != card.sha256.get(name):
        raise _UnusableError(f"is damaged ({name} has another SHA-256 than {CARD} says)")
    return content


def _read(folder: Traversable, name: str) -> bytes:
    try:
        return folder.joinpath(name).read_bytes()
    except FileNotFoundError as error:
        raise _UnusableError(f"is missing (there is no {name})") from error
    except OSError as error:
        raise _UnusableError(f"cannot be read ({name}: {error.strerror or error})") from error
