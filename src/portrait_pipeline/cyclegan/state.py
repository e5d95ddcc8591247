"""All that the next step of a training needs, in memory."""

import copy
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import torch
from torch import nn

from portrait_pipeline.cyclegan.distributed import for_device
from portrait_pipeline.cyclegan.image_pool import ImagePool
from portrait_pipeline.cyclegan.networks import (
    DeepAndShallowDiscriminator,
    PatchDiscriminator,
    ResnetGenerator,
    initialise_weights,
    patch_map_size,
)
from portrait_pipeline.cyclegan.projected import ProjectedDiscriminator
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import TrainingParameters


class Stream(IntEnum):
    """What a stream of random numbers decides; the numbers are part of the checkpoint format."""

    WEIGHTS = 0
    PHOTO_ORDER = 1
    PAINTING_ORDER = 2
    PHOTO_POOL = 3
    PAINTING_POOL = 4
    TRAINING_PAIRS = 5
    AUGMENTATION = 6


def random_generator(seed: int, stream: Stream, *within: int) -> torch.Generator:
    """Return the generator of one stream.

    Args:
        seed: The seed of the whole training, at least 0.
        stream: What the numbers decide.
        within: Further indices, for example the epoch or the rank; each gives its own numbers.
    """
    sequence = np.random.SeedSequence([seed, int(stream), *within])
    return torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> 1))


def averaged_copy(network: nn.Module) -> nn.Module:
    """Return a frozen copy of the network in eval mode, where its average will be kept."""
    return copy.deepcopy(network).eval().requires_grad_(False)


@torch.no_grad()
def update_average(averaged: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the network: a ← d a + (1 - d) w, with d = min(decay, (1+t)/(10+t)).

    The smaller decay of the first steps t keeps the random start out of the average of a short
    training. A decay of 0 makes the average the network itself.

    Args:
        averaged: What `averaged_copy` returned; changed in place.
        network: The network in training.
        decay: In [0, 1).
        step: Steps taken before this one.
    """
    warm = min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(averaged.parameters()), list(network.parameters()), 1.0 - warm)


@dataclass(frozen=True)
class Networks:
    """The report's G, F, D_X and D_Y."""

    photo_to_portrait: nn.Module
    portrait_to_photo: nn.Module
    photo_discriminator: nn.Module
    painting_discriminator: nn.Module

    def named(self) -> dict[str, nn.Module]:
        """Return each network by its name."""
        return dict(vars(self))

    def generator_parameters(self) -> list[nn.Parameter]:
        """Return the weights of both generators, in the order in which they are optimised."""
        return [*self.photo_to_portrait.parameters(), *self.portrait_to_photo.parameters()]

    def discriminator_parameters(self) -> list[nn.Parameter]:
        """Return the weights of both discriminators, in the order in which they are optimised."""
        return [*self.photo_discriminator.parameters(), *self.painting_discriminator.parameters()]


@dataclass
class TrainingState:
    """Everything that changes while a model trains.

    Attributes:
        networks: The four networks.
        averaged_generators: Running averages of `photo_to_portrait` and `portrait_to_photo`.
        optimizers: Adam for the `generators` and for the `discriminators`.
        image_pools: Earlier fakes, by the domain that they are fakes of.
        scaler: Scale of the losses in float16; does nothing in other precisions.
        epoch: Epochs finished.
        position: Steps taken in the epoch after those.
        step: Steps taken in all.
        running_terms: Sums over this epoch's steps of what is logged, on this process.
        history: One row for each finished epoch.
        best: Epoch, value and averaged generators of the best validation so far, if asked for.
        recent: Epoch and averaged generators of the last few epochs, if asked for.
        tracking_id: The tracker's name for this training.
        initial: What `warm_start` says of the checkpoint that the networks started from.
    """

    networks: Networks
    averaged_generators: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    image_pools: dict[str, ImagePool]
    scaler: torch.amp.GradScaler
    epoch: int = 0
    position: int = 0
    step: int = 0
    running_terms: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    recent: list[dict[str, Any]] = field(default_factory=list)
    tracking_id: str | None = None
    initial: dict[str, Any] | None = None

    def count_step(self, terms: dict[str, float]) -> None:
        """Move on by one step and add what it logged."""
        self.step += 1
        self.position += 1
        self.add_terms(terms)

    def add_terms(self, terms: dict[str, float]) -> None:
        """Add what one step logged to the sums of the epoch."""
        for name, value in terms.items():
            self.running_terms[name] = self.running_terms.get(name, 0.0) + value

    @property
    def learning_rate(self) -> float:
        """The learning rate of the generators' optimiser."""
        return float(self.optimizers["generators"].param_groups[0]["lr"])

    def set_learning_rate(self, learning_rate: float, discriminator_ratio: float = 1.0) -> None:
        """Give the generators' optimiser this learning rate, the discriminators' a multiple.

        Discriminators that learn faster tell the generators more where each takes one step in turn
        (two time-scale update rule, Heusel et al. 2017, section 2).
        """
        ratios = {"generators": 1.0, "discriminators": discriminator_ratio}
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = ratios[name] * learning_rate


def build_generator(parameters: TrainingParameters) -> ResnetGenerator:
    """Make one generator of the size that the parameters ask for; its weights mean nothing yet."""
    return ResnetGenerator(
        parameters.num_generator_filters,
        parameters.num_residual_blocks,
        parameters.upsampling,
        parameters.sampling,
        has_skip=parameters.generator_skip,
        skip_reduction=parameters.generator_skip_reduction,
    )


def build_discriminator(parameters: TrainingParameters) -> nn.Module:
    """Make the discriminator of one domain, or the several in one, that the parameters ask for.

    Raises:
        PortraitPipelineError: if it has too many layers for a patch to fit into the picture.
    """
    if parameters.discriminator == "projected":
        return ProjectedDiscriminator(parameters.num_discriminator_filters)
    num_layers = parameters.num_discriminator_layers
    if patch_map_size(parameters.image_size_px, num_layers) < 1:
        raise PortraitPipelineError(
            f"num_discriminator_layers is {num_layers}, too many for image_size_px"
            f" {parameters.image_size_px}: no patch fits; lower it with"
            f" `--params training.num_discriminator_layers={num_layers - 1}`"
        )
    num_filters, num_shallow = (
        parameters.num_discriminator_filters,
        parameters.num_shallow_discriminator_layers,
    )
    if num_shallow == 0:
        return PatchDiscriminator(num_filters, num_layers, parameters.sampling)
    return DeepAndShallowDiscriminator(num_filters, num_layers, num_shallow, parameters.sampling)


def build_networks(parameters: TrainingParameters) -> Networks:
    """Make the four networks with weights from the seed, the same on every process."""
    with torch.random.fork_rng(devices=[]):  # torch's own first weights are thrown away
        networks = Networks(
            build_generator(parameters),
            build_generator(parameters),
            build_discriminator(parameters),
            build_discriminator(parameters),
        )
    for index, network in enumerate(networks.named().values()):
        initialise_weights(network, random_generator(parameters.seed, Stream.WEIGHTS, index))
    return networks


def build_state(
    parameters: TrainingParameters, device: torch.device, rank: int = 0
) -> TrainingState:
    """Make the state before the first step, on a device; only the pools differ between ranks."""
    parameters = for_device(parameters, device)
    networks = build_networks(parameters)
    layout = torch.channels_last if parameters.channels_last else torch.contiguous_format
    for network in networks.named().values():
        network.to(device=device, memory_format=layout)  # type: ignore[call-overload]  # torch's stub lacks it
    pools = {
        "photo": Stream.PHOTO_POOL,
        "painting": Stream.PAINTING_POOL,
    }
    state = TrainingState(
        networks=networks,
        averaged_generators={
            "photo_to_portrait": averaged_copy(networks.photo_to_portrait),
            "portrait_to_photo": averaged_copy(networks.portrait_to_photo),
        },
        optimizers={
            "generators": _adam(networks.generator_parameters(), parameters),
            "discriminators": _adam(networks.discriminator_parameters(), parameters),
        },
        image_pools={
            domain: ImagePool(
                parameters.image_pool_size, random_generator(parameters.seed, stream, rank)
            )
            for domain, stream in pools.items()
        },
        scaler=torch.amp.GradScaler(device.type, enabled=parameters.precision == "16-mixed"),
    )
    if parameters.compile:
        for network in networks.named().values():
            network.compile()
    return state


def _adam(weights: list[nn.Parameter], parameters: TrainingParameters) -> torch.optim.Adam:
    return torch.optim.Adam(
        weights,
        lr=parameters.learning_rate,
        betas=(parameters.adam_beta_1, parameters.adam_beta_2),
        fused=weights[0].device.type in ("cpu", "cuda"),
    )
