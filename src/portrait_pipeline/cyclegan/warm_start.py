"""A training that starts from the networks of an earlier one, for example at a larger size."""

import logging
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from portrait_pipeline.cyclegan.checkpoint_files import read_checkpoint
from portrait_pipeline.cyclegan.services import Checkpoint
from portrait_pipeline.cyclegan.state import TrainingState
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import sha256_of

GENERATORS = ("photo_to_portrait", "portrait_to_photo")
DISCRIMINATORS = ("photo_discriminator", "painting_discriminator")
RECORDED = ("model", "epoch", "step", "data_hash")

logger = logging.getLogger(__name__)


def start_from(state: TrainingState, path: Path) -> None:
    """Take the generators of a checkpoint, and those of its discriminators whose shapes agree.

    The networks are convolutional, so that their weights fit pictures of every size: trained at
    64 px they are fine-tuned at 128 px (as Karras et al. 2018 grow a GAN, there layer by layer).
    Optimisers, pools, schedule and averages begin anew: it is another training, whose checkpoint
    says under `initial` where it began.

    Args:
        state: Before its first step; changed in place.
        path: A checkpoint with its SHA-256 beside it.

    Raises:
        PortraitPipelineError: if it is missing or damaged, or its generators are of another
            architecture.
    """
    if not path.is_file():
        raise PortraitPipelineError(
            f"initial_checkpoint is {path}, which is not there, expected the checkpoint of a"
            " training; leave it out with `--params training.initial_checkpoint=null`"
        )
    checkpoint = read_checkpoint(path)
    networks = state.networks.named()
    for name in GENERATORS:
        _load_generator(networks[name], checkpoint, name, path)
        state.averaged_generators[name].load_state_dict(networks[name].state_dict())
    taken = [
        f"{name}.{part}"
        for name in DISCRIMINATORS
        for part in _load_discriminators(networks[name], checkpoint["networks"].get(name, {}))
    ]
    state.initial = {
        "sha256": sha256_of(path),
        "image_size_px": checkpoint["parameters"]["image_size_px"],
        **{key: checkpoint[key] for key in RECORDED},
        "discriminators": taken,
    }
    logger.info(
        "starts from %s after step %s at %d px; discriminators taken: %s",
        checkpoint["model"],
        f"{checkpoint['step']:,}",
        state.initial["image_size_px"],
        ", ".join(taken) or "none",
    )


def _load_generator(generator: nn.Module, checkpoint: Checkpoint, name: str, path: Path) -> None:
    weights = checkpoint.get("networks", {}).get(name, {})
    if not _agree(generator.state_dict(), weights):
        settings = checkpoint["parameters"]
        raise PortraitPipelineError(
            f"initial_checkpoint is {path}, whose {name} has"
            f" {settings['num_generator_filters']} filters and {settings['num_residual_blocks']}"
            f" blocks, upsampling {settings['upsampling']} and sampling {settings['sampling']},"
            " expected those of this training; give the same with `--params`"
        )
    generator.load_state_dict(weights)


def _load_discriminators(network: nn.Module, weights: Mapping[str, Tensor]) -> list[str]:
    """Load the deep and the shallow discriminator of one domain where all shapes agree."""
    ours, theirs = _parts(network.state_dict()), _parts(weights)
    taken = [part for part in ours if _agree(ours[part], theirs.get(part, {}))]
    for part in taken:
        for name, weight in ours[part].items():
            weight.copy_(theirs[part][name])
    return taken


def _parts(weights: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Group weights by discriminator; one that is alone is the deep one."""
    parts: dict[str, dict[str, Tensor]] = {}
    for name, weight in weights.items():
        part, _, inner = name.rpartition("layers.")
        parts.setdefault(part.rstrip(".") or "deep", {})[inner] = weight
    return parts


def _agree(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> bool:
    return {key: weight.shape for key, weight in ours.items()} == {
        key: weight.shape for key, weight in theirs.items()
    }
