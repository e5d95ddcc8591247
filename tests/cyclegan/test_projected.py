"""Laws of discriminators on frozen features."""

import pytest
import torch

from portrait_pipeline.cyclegan.networks import initialise_weights
from portrait_pipeline.cyclegan.projected import STAGES, ProjectedDiscriminator
from portrait_pipeline.cyclegan.state import Stream, build_networks, random_generator


def _initialised(seed: int) -> ProjectedDiscriminator:
    discriminator = ProjectedDiscriminator(4)
    initialise_weights(discriminator, random_generator(seed, Stream.WEIGHTS))
    return discriminator


@pytest.mark.parametrize("size", [32, 64])
def test_each_depth_gives_logits_and_gradients(size: int) -> None:
    """One map of logits for each depth; every weight and the picture get a gradient."""
    discriminator = _initialised(0)
    images = torch.rand(2, 3, size, size, requires_grad=True)
    logits = discriminator(images)
    assert len(logits) == len(STAGES)
    assert all(each.shape[:2] == (2, 1) for each in logits)
    torch.stack([each.square().mean() for each in logits]).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0.0
    if size == 64:
        assert all(weight.grad is not None for weight in discriminator.parameters())


def test_the_features_are_those_of_the_file_whatever_the_seed() -> None:
    """First weights and training change the heads alone."""
    images = torch.rand(1, 3, 64, 64) * 2 - 1
    before = ProjectedDiscriminator(4).network.stages(images, STAGES)
    discriminator = _initialised(1)
    optimizer = torch.optim.Adam(discriminator.requires_grad_(True).parameters(), lr=0.1)
    torch.stack([each.mean() for each in discriminator(images)]).sum().backward()
    optimizer.step()
    for ours, theirs in zip(before, discriminator.network.stages(images, STAGES), strict=True):
        assert torch.equal(ours, theirs)


def test_a_checkpoint_keeps_the_heads_alone(parameters) -> None:
    """The state holds no frozen weight, and is all that another needs to see the same."""
    networks = build_networks(parameters(discriminator="projected", num_discriminator_filters=4))
    trained = networks.painting_discriminator
    state = trained.state_dict()
    assert {name.split(".")[0] for name in state} == {"heads"}
    other = _initialised(3)
    other.load_state_dict(state)
    images = torch.rand(1, 3, 64, 64)
    for ours, theirs in zip(trained(images), other(images), strict=True):
        assert torch.equal(ours, theirs)
