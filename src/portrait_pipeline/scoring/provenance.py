"""What a checkpoint says of the pictures and the code that it was trained with."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

import portrait_pipeline
from portrait_pipeline.cyclegan.checkpoint import WITHOUT_EFFECT
from portrait_pipeline.cyclegan.data import TrainingData, data_hash
from portrait_pipeline.cyclegan.distributed import for_device
from portrait_pipeline.cyclegan.services import Checkpoint, CheckpointStore
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import FaceParameters, Split, TrainingParameters

logger = logging.getLogger(__name__)

KEY = "provenance"
SOURCES = ("cyclegan", "identity", "faces", "efficientnet_lite.py")
"""The packages and the module whose code decides what a training makes of its pictures."""


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from.

    Attributes:
        preparation: How the crops were made.
        source_hash: SHA-256 of the code in `SOURCES`.
        pictures: SHA-256 of the file of every training picture; None where the splits do not say.
        pictures_of_persons: The same of every picture that shows a person trained on, in any split.
    """

    preparation: FaceParameters
    source_hash: str
    pictures: list[str] | None
    pictures_of_persons: list[str] | None


class ProvenanceStore:
    """A `CheckpointStore` that writes the provenance into every state that it is given."""

    def __init__(self, store: CheckpointStore, provenance: Provenance) -> None:
        self._store, self._provenance = store, provenance

    def save(self, state: Checkpoint) -> None:
        """Write the state and its provenance."""
        self._store.save(with_provenance(state, self._provenance))

    def load(self) -> Checkpoint | None:
        """Return the last state that was saved."""
        return self._store.load()

    def clear(self) -> None:
        """Forget all that was saved."""
        self._store.clear()


def describe_provenance(splits: pd.DataFrame, faces: FaceParameters) -> Provenance:
    """Say which pictures and which code a training on these splits uses."""
    if not {"content_hash", "person"} <= set(splits):  # made before these columns were written
        return Provenance(faces, hash_sources(), None, None)
    used = splits[splits["split"] == "train"]
    return Provenance(
        faces,
        hash_sources(),
        sorted(set(used["content_hash"])),
        sorted(_of_the_same_persons(splits, used)),
    )


def with_provenance(state: Checkpoint, provenance: Provenance) -> Checkpoint:
    """Return a checkpoint that says where it comes from; its preparation it says already."""
    said = {key: value for key, value in vars(provenance).items() if key != "preparation"}
    return {**state, KEY: said}


def check_unseen(checkpoint: Checkpoint, splits: pd.DataFrame, split: Split) -> None:
    """Refuse to judge a model on pictures, or people, that it was trained on.

    A checkpoint or splits that do not say are let pass with a warning.

    Raises:
        PortraitPipelineError: naming the model and how many pictures it has seen.
    """
    said: Mapping[str, Any] = checkpoint.get(KEY) or {}
    if said.get("pictures") is None or "content_hash" not in splits:
        logger.warning(
            "%s does not say which pictures it was trained on, so nothing proves that the %s"
            " pictures are new to it; train it again",
            checkpoint["model"],
            split,
        )
        return
    judged = splits[splits["split"] == split]
    seen = set(said["pictures"]) | set(said["pictures_of_persons"])
    own = set(judged["content_hash"]) & seen
    trained = set(said["pictures"]) & _of_the_same_persons(splits, judged)
    if own or trained:
        raise PortraitPipelineError(
            f"{checkpoint['model']} was trained on {len(own | trained)} of the {split} pictures, or"
            " on the people in them, expected pictures that are new to it: train it again with the"
            " splits of this workspace"
        )


def is_same_training(
    state: Checkpoint | None,
    model: str,
    data: TrainingData,
    settings: TrainingParameters,
    provenance: Provenance,
) -> bool:
    """Tell whether a saved state is of this very training: settings, pictures and code."""
    if state is None or (state.get(KEY) or {}).get("source_hash") != provenance.source_hash:
        return False
    limited = data.limited(settings.num_training_pairs, settings.seed)
    on_gpu = settings.accelerator in ("auto", "cuda") and torch.cuda.is_available()
    used = for_device(settings, torch.device("cuda" if on_gpu else "cpu"))
    return bool(
        state["model"] == model
        and _with_effect(state["parameters"]) == _with_effect(used.model_dump())
        and state["preparation"] == provenance.preparation.model_dump()
        and state["data_hash"] == data_hash(limited)
    )


def hash_sources() -> str:
    """Return the SHA-256 of every file of `SOURCES`, names included."""
    root = Path(portrait_pipeline.__file__).parent
    digest = hashlib.sha256()
    for source in SOURCES:
        for path in [root / source, *sorted((root / source).rglob("*"))]:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _of_the_same_persons(splits: pd.DataFrame, pictures: pd.DataFrame) -> set[str]:
    """List every picture of the splits that shows a person of some pictures, these included."""
    persons = set(pictures.loc[pictures["person"] >= 0, "person"])
    others = splits.loc[splits["person"].isin(persons), "content_hash"]
    return set(others) | set(pictures["content_hash"])


def _with_effect(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key not in WITHOUT_EFFECT}
