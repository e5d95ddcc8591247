"""Laws of generator, discriminator, row convolution and first weights."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from portrait_pipeline.cyclegan.layers import (
    Blur,
    Doubling,
    RowConvolution,
    double_by_copies,
    pad_by_strips,
)
from portrait_pipeline.cyclegan.networks import (
    SKIP_SHARE,
    PatchDiscriminator,
    ResnetGenerator,
    initialise_weights,
    patch_map_size,
)
from portrait_pipeline.cyclegan.state import (
    Stream,
    build_discriminator,
    build_networks,
    random_generator,
)
from portrait_pipeline.errors import PortraitPipelineError

PUBLISHED_GENERATOR = 11_378_179
GENERATOR_BIASES = 64 + 128 + 256 + 9 * 2 * 256 + 128 + 64


def _count(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_the_papers_generator_has_the_published_weights():
    """Law: 9 blocks of 64 filters are the published network less its biases without effect."""
    assert _count(ResnetGenerator(64, 9)) == PUBLISHED_GENERATOR - GENERATOR_BIASES


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


def test_with_a_skip_a_generator_starts_from_the_picture_itself(parameters):
    """Law: before the first step G(x) is 0.95 x, and the layers can still change it."""
    training = parameters(generator_skip=True)
    generator = build_networks(training).photo_to_portrait
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert isinstance(generator, ResnetGenerator)
    portraits = generator(images)
    assert torch.allclose(portraits, SKIP_SHARE * images, atol=1e-6)
    portraits.square().mean().backward()
    gradients = [weight.grad for weight in generator.parameters() if weight.grad is not None]
    assert max(gradient.abs().max() for gradient in gradients) > 0


@pytest.mark.parametrize("reduction", [2, 4])
def test_a_reduced_skip_passes_nothing_that_is_finer(parameters, reduction):
    """Law: a training starts with the picture's blocks; what differs within them is not passed."""
    training = parameters(generator_skip=True, generator_skip_reduction=reduction)
    generator = build_networks(training).photo_to_portrait
    blocks = torch.rand(1, 3, 32 // reduction, 32 // reduction) - 0.5
    flat = blocks.repeat_interleave(reduction, 2).repeat_interleave(reduction, 3)
    within = torch.tensor([[0.4, -0.4], [-0.4, 0.4]]).tile(16, 16)
    with torch.no_grad():
        assert torch.allclose(generator(flat), generator(flat + within), atol=1e-6)
        passed = generator(flat) / SKIP_SHARE
    assert (passed - flat).abs().mean() < 0.5 * flat.abs().mean()
    assert passed.mean() == pytest.approx(flat.mean().item(), abs=0.02)


def test_pictures_at_the_ends_of_their_range_have_a_finite_way_through_a_skip(parameters):
    """Law: pure black and white, where atanh of the picture itself is infinite, stay finite."""
    training = parameters(generator_skip=True)
    generator = build_networks(training).photo_to_portrait
    images = torch.ones(1, 3, 32, 32)
    images[..., :16] = -1.0
    images.requires_grad_(True)
    generator(images).sum().backward()
    assert images.grad is not None
    assert torch.isfinite(images.grad).all()


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


PUBLISHED_DISCRIMINATOR = 2_764_737
DISCRIMINATOR_BIASES = 128 + 256 + 512


def test_the_papers_discriminator_has_the_published_weights():
    """Law: 64 filters, 3 layers are the published network less its biases without effect."""
    network = PatchDiscriminator(64)
    count = sum(weight.numel() for weight in network.parameters())
    assert count == PUBLISHED_DISCRIMINATOR - DISCRIMINATOR_BIASES


@pytest.mark.parametrize(
    ("num_layers", "sampling", "edge"),
    [
        (1, "plain", 16),
        (2, "plain", 34),
        (3, "plain", 70),
        (1, "antialiased", 19),
        (2, "antialiased", 43),
        (3, "antialiased", 91),
    ],
)
def test_each_logit_sees_as_many_pixels_as_it_says(num_layers, sampling, edge):
    """Law: the gradient of a middle logit reaches that many pixels each way and no more."""
    network = PatchDiscriminator(4, num_layers, sampling)
    for layer in network.layers:  # instance norm looks at the whole picture, so it steps aside
        if isinstance(layer, torch.nn.InstanceNorm2d):
            layer.forward = lambda features: features
    images = torch.rand(1, 3, 128, 128, requires_grad=True)
    logits = network(images)
    middle = logits.shape[2] // 2
    logits[0, 0, middle, middle].backward()
    touched = images.grad.abs().sum(dim=(0, 1)) > 0
    assert touched.any(0).sum() == edge
    assert touched.any(1).sum() == edge


@pytest.mark.parametrize(("size", "num_layers"), [(32, 2), (64, 3), (70, 3), (256, 3), (33, 1)])
def test_the_size_of_its_map_is_foretold(size, num_layers):
    """Law: `patch_map_size` is what the network makes."""
    logits = PatchDiscriminator(2, num_layers)(torch.rand(1, 3, size, size))
    assert logits.shape == (1, 1, *[patch_map_size(size, num_layers)] * 2)


def _moved_and_moved_first(network, images):
    """A pixel to the right: what comes out moved, and what comes out of what went in moved."""
    after = functional.interpolate(network(images), images.shape[2:], mode="bilinear")
    before = functional.interpolate(network(images.roll(1, 3)), images.shape[2:], mode="bilinear")
    inside = (..., slice(20, -20), slice(20, -20))
    return after.roll(1, 3)[inside], before[inside]


@pytest.mark.parametrize(
    "make",
    [
        lambda sampling: ResnetGenerator(8, 1, "resize", sampling),
        lambda sampling: PatchDiscriminator(8, 1, sampling),
        lambda sampling: PatchDiscriminator(8, 2, sampling),
    ],
)
def test_an_antialiased_network_moves_with_its_picture(make):
    """Law: a shift by one pixel changes it less than half as much as plain (Zhang 2019)."""
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    changes = []
    for sampling in ("plain", "antialiased"):
        network = make(sampling).eval()
        initialise_weights(network, random_generator(5, Stream.WEIGHTS))
        with torch.no_grad():
            moved, moved_first = _moved_and_moved_first(network, images)
        changes.append(((moved - moved_first).std() / moved.std()).item())
    assert changes[1] < 0.5 * changes[0]


def test_the_deep_discriminator_does_not_change_with_a_shallow_one_beside_it(parameters):
    """Law: with one seed its weights and logits are those that it has alone."""
    images = torch.rand(1, 3, 32, 32)
    alone, both = (
        build_networks(parameters(num_shallow_discriminator_layers=layers)).photo_discriminator
        for layers in (0, 1)
    )
    deep, shallow = both(images)
    assert torch.equal(deep, alone(images))
    assert shallow.shape == (1, 1, *[patch_map_size(32, 1)] * 2)


@pytest.mark.parametrize("layers", [2, 3])
def test_a_shallow_discriminator_is_shallower(parameters, layers):
    """Law: one that is as deep as the deep one is refused."""
    with pytest.raises(ValueError, match=f"num_shallow_discriminator_layers is {layers}, expected"):
        parameters(num_shallow_discriminator_layers=layers)


def test_every_weight_has_a_gradient():
    """Law: nothing in it is idle."""
    network = PatchDiscriminator(4)
    network(torch.rand(2, 3, 64, 64)).square().sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_a_picture_too_small_for_its_layers_is_refused(parameters):
    """Law: the sentence names the argument, its value and the way out."""
    with pytest.raises(PortraitPipelineError, match="num_discriminator_layers is 5"):
        build_discriminator(parameters(num_discriminator_layers=5))


@pytest.mark.parametrize("bias", [True, False])
def test_it_is_a_plain_convolution(bias):
    """Law: results and all gradients are those of Conv2d with the same weights."""
    torch.manual_seed(0)
    rows, plain = RowConvolution(6, 3, 7, bias=bias), nn.Conv2d(6, 3, 7, bias=bias)
    plain.load_state_dict(rows.state_dict())
    images = torch.randn(2, 6, 17, 21, requires_grad=True)
    outputs = [layer(images) for layer in (rows, plain)]
    torch.testing.assert_close(*outputs)
    towards = torch.randn_like(outputs[0])
    ours, theirs = (
        torch.autograd.grad(output, [images, *layer.parameters()], towards)
        for output, layer in zip(outputs, (rows, plain), strict=True)
    )
    for gradient, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-5, atol=1e-5)


def test_in_use_it_is_computed_as_a_plain_convolution():
    """Law: in eval mode it is Conv2d, which exports to other runtimes."""
    torch.manual_seed(0)
    rows = RowConvolution(4, 3, 7).eval()
    images = torch.randn(1, 4, 9, 9)
    assert torch.equal(rows(images), nn.functional.conv2d(images, rows.weight, rows.bias))


@pytest.mark.parametrize("padding", [(1, 1), (3, 3), (1, 2)])
def test_padding_by_strips_is_reflection_padding(padding):
    """Law: the same values, bit for bit, and the same gradients."""
    torch.manual_seed(0)
    features = torch.randn(2, 3, 9, 13, requires_grad=True)
    expected = functional.pad(features, [*padding] * 2, mode="reflect")
    padded = pad_by_strips(features, *padding)
    assert torch.equal(padded, expected)
    towards = torch.randn_like(expected)
    ours, theirs = (torch.autograd.grad(each, features, towards)[0] for each in (padded, expected))
    torch.testing.assert_close(ours, theirs)


def test_doubling_by_copies_is_nearest_neighbour():
    """Law: the same values, bit for bit, and the same gradients."""
    torch.manual_seed(0)
    features = torch.randn(2, 3, 5, 7, requires_grad=True)
    doubled = [double_by_copies(features), Doubling()(features)]
    assert torch.equal(*doubled)
    towards = torch.randn_like(doubled[0])
    torch.testing.assert_close(
        *(torch.autograd.grad(each, features, towards)[0] for each in doubled)
    )


@pytest.mark.parametrize(("taps", "stride"), [((1, 3, 3, 1), 2), ((1, 2, 1), 1)])
def test_a_blur_keeps_means_and_removes_what_would_alias(taps, stride):
    """Law: a flat picture stays as it is; one-pixel stripes, the Nyquist frequency, vanish."""
    blur = Blur(taps, stride, (1, 1))
    flat = torch.full((1, 2, 8, 8), 0.7)
    torch.testing.assert_close(blur(flat), torch.full_like(blur(flat), 0.7))
    stripes = torch.tensor([1.0, -1.0]).repeat(8).expand(1, 2, 16, 16)
    assert blur(stripes)[..., 2:-2, 2:-2].abs().max() < 1e-6


@pytest.mark.parametrize("size", [32, 33, 64, 70])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_antialiased_networks_keep_sizes_and_pass_gradients(size, num_layers):
    """Law: maps and pictures have the sizes of the plain networks; every weight has a gradient."""
    network = PatchDiscriminator(4, num_layers, "antialiased")
    logits = network(torch.rand(1, 3, size, size))
    assert logits.shape == (1, 1, *[patch_map_size(size, num_layers)] * 2)
    even = size // 4 * 4
    generator = ResnetGenerator(4, 1, "resize", "antialiased")
    translated = generator(torch.rand(1, 3, even, even))
    assert translated.shape == (1, 3, even, even)
    (logits.square().sum() + translated.square().sum()).backward()
    weights = [*network.parameters(), *generator.parameters()]
    assert all(weight.grad.abs().sum() > 0 for weight in weights)


def test_antialiasing_asks_for_resizing(parameters):
    """Law: transposed convolutions, which alias, are refused beside it."""
    with pytest.raises(ValueError, match="upsampling is transposed, expected resize"):
        parameters(sampling="antialiased")
    settings = parameters(sampling="antialiased", upsampling="resize")
    assert any(isinstance(layer, Blur) for layer in build_discriminator(settings).modules())
    assert not any(isinstance(layer, Blur) for layer in build_discriminator(parameters()).modules())
