"""Laws of the discriminator."""

import pytest
import torch

from portrait_pipeline.cyclegan.discriminator import PatchDiscriminator, patch_map_size
from portrait_pipeline.cyclegan.state import build_discriminator
from portrait_pipeline.errors import PortraitPipelineError

PUBLISHED = 2_764_737
BIASES_BEFORE_A_NORM = 128 + 256 + 512


def test_the_papers_discriminator_has_the_published_weights():
    """Law: 64 filters, 3 layers are the published network less its biases without effect."""
    network = PatchDiscriminator(64)
    count = sum(weight.numel() for weight in network.parameters())
    assert count == PUBLISHED - BIASES_BEFORE_A_NORM


def test_each_logit_sees_70_pixels():
    """Law: the gradient of the middle logit reaches 70 x 70 pixels and no more."""
    network = PatchDiscriminator(4)
    for layer in network.layers:  # instance norm looks at the whole picture, so it steps aside
        if isinstance(layer, torch.nn.InstanceNorm2d):
            layer.forward = lambda features: features
    images = torch.rand(1, 3, 128, 128, requires_grad=True)
    logits = network(images)
    logits[0, 0, 7, 7].backward()
    touched = images.grad.abs().sum(dim=(0, 1)) > 0
    assert touched.any(0).sum() == 70
    assert touched.any(1).sum() == 70


@pytest.mark.parametrize(("size", "num_layers"), [(32, 2), (64, 3), (70, 3), (256, 3), (33, 1)])
def test_the_size_of_its_map_is_foretold(size, num_layers):
    """Law: `patch_map_size` is what the network makes."""
    logits = PatchDiscriminator(2, num_layers)(torch.rand(1, 3, size, size))
    assert logits.shape == (1, 1, *[patch_map_size(size, num_layers)] * 2)


def test_every_weight_has_a_gradient():
    """Law: nothing in it is idle."""
    network = PatchDiscriminator(4)
    network(torch.rand(2, 3, 64, 64)).square().sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_a_picture_too_small_for_its_layers_is_refused(parameters):
    """Law: the sentence names the argument, its value and the way out."""
    with pytest.raises(PortraitPipelineError, match="num_discriminator_layers is 5"):
        build_discriminator(parameters(num_discriminator_layers=5))
