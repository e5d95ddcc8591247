"""Laws of the generator."""

import pytest
import torch

from portrait_pipeline.cyclegan.generator import ResnetGenerator
from portrait_pipeline.cyclegan.randomness import Stream, random_generator
from portrait_pipeline.cyclegan.weights import initialise_weights

PUBLISHED = 11_378_179
BIASES_BEFORE_A_NORM = 64 + 128 + 256 + 9 * 2 * 256 + 128 + 64


def _count(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_the_papers_generator_has_the_published_weights():
    """Law: 9 blocks of 64 filters are the published network less its biases without effect."""
    assert _count(ResnetGenerator(64, 9)) == PUBLISHED - BIASES_BEFORE_A_NORM


def test_a_bias_before_an_instance_norm_has_no_effect():
    """Law: what was left out of the published network changes nothing."""
    norm = torch.nn.InstanceNorm2d(4)
    images = torch.randn(2, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(norm(images + 3.0), norm(images), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("size", [(32, 32), (36, 48)])
def test_it_keeps_size_and_range_and_passes_gradients(upsampling, size):
    """Law: a picture in, a picture of the same size in [-1, 1] out; every weight has a gradient."""
    generator = ResnetGenerator(4, 2, upsampling)
    initialise_weights(generator, random_generator(0, Stream.WEIGHTS))
    images = torch.rand(2, 3, *size, requires_grad=True)
    translated = generator(images)
    assert translated.shape == images.shape
    assert translated.abs().max() <= 1.0
    translated.square().sum().backward()
    gradients = [images.grad, *(weight.grad for weight in generator.parameters())]
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)


def test_pictures_of_a_batch_do_not_mix():
    """Law: a picture is translated alike alone and in company."""
    generator = ResnetGenerator(4, 1).eval()
    images = torch.rand(3, 3, 32, 32)
    torch.testing.assert_close(generator(images)[1:2], generator(images[1:2]))


def test_an_unknown_way_up_is_refused():
    """Law: a closed set has no silent default."""
    with pytest.raises(ValueError, match="upsampling is 'bilinear'"):
        ResnetGenerator(4, 1, "bilinear")


def test_weights_begin_as_the_paper_says():
    """Law: N(0, 0.02) and zero biases, decided by the generator alone."""
    networks = [ResnetGenerator(32, 2) for _ in range(2)]
    for network in networks:
        initialise_weights(network, random_generator(5, Stream.WEIGHTS, 1))
    weights = torch.cat([w.flatten() for w in networks[0].parameters() if w.ndim == 4])
    assert weights.std().item() == pytest.approx(0.02, rel=0.01)
    assert weights.mean().abs().item() < 1e-4
    assert all(w.abs().sum() == 0 for w in networks[0].parameters() if w.ndim == 1)
    pairs = zip(networks[0].parameters(), networks[1].parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
