"""Laws of DiffAugment."""

import pytest
import torch
from torch.nn import functional

from portrait_pipeline.cyclegan.augmentation import DiffAugment

SIZE_PX = 24
FULL = {"brightness": 0.2, "contrast": 0.3, "translation": 0.125, "cutout": 0.25}
OFF = dict.fromkeys(FULL, 0.0)


def _augment(**strengths):
    return DiffAugment(**{**OFF, **strengths}, size_px=SIZE_PX, seed=5)


def _images(count=2):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 3, SIZE_PX, SIZE_PX, generator=generator) * 2 - 1


def plain(image, drawn, cutout_px):
    """One picture changed as the paper's text says it, with slices and Python's numbers."""
    shift, factor, down, right, row, column = drawn.tolist()
    brighter = image + shift
    image = (brighter - brighter.mean()) * factor + brighter.mean()
    padded = functional.pad(image, [SIZE_PX] * 4)
    top, left = SIZE_PX - int(down), SIZE_PX - int(right)
    image = padded[:, top : top + SIZE_PX, left : left + SIZE_PX].clone()
    first = [max(0, int(middle) - cutout_px // 2) for middle in (row, column)]
    last = [int(middle) - cutout_px // 2 + cutout_px for middle in (row, column)]
    image[:, first[0] : last[0], first[1] : last[1]] = 0.0
    return image


@pytest.mark.parametrize("step", range(4))
def test_it_is_the_papers_transformation(step):
    """Law: colours, shift and hole are those of a plain restatement, picture by picture."""
    augment, images = _augment(**FULL), _images(3)
    drawn = augment.draw(step, 3)[1]
    expected = torch.stack([plain(*pair, 6) for pair in zip(images, drawn, strict=True)])
    torch.testing.assert_close(augment(images, drawn), expected)


def test_real_and_generated_pictures_are_changed_alike():
    """Law: in a batch of real and fake pictures the k-th of each get the same change."""
    augment, images = _augment(**FULL), _images(2)
    drawn = augment.draw(0, 2)[0]
    real, fake = augment(torch.cat([images, -images]), drawn).chunk(2)
    assert torch.equal(real, augment(images, drawn))
    assert torch.equal(fake, augment(-images, drawn))
    assert not torch.equal(*augment(images[:1].expand(2, -1, -1, -1), drawn))


@pytest.mark.parametrize("strength", FULL)
def test_each_change_alone_passes_gradients(strength):
    """Law: it changes the picture, and its gradient is that of finite differences."""
    augment = _augment(**{strength: FULL[strength]})
    images, drawn = _images(1).double(), augment.draw(3, 1)[0].double()
    assert not torch.equal(augment(images, drawn), images)
    images.requires_grad_()
    torch.autograd.gradcheck(lambda given: augment(given, drawn), images, fast_mode=True)


def test_the_numbers_follow_seed_process_and_step():
    """Law: a function of the three alone, and another for another of each."""
    drawn = _augment(**FULL).draw(7, 2)
    assert torch.equal(drawn, _augment(**FULL).draw(7, 2))
    others = (
        DiffAugment(**FULL, size_px=SIZE_PX, seed=6),
        DiffAugment(**FULL, size_px=SIZE_PX, seed=5, rank=1),
    )
    assert not any(torch.equal(drawn, other.draw(7, 2)) for other in others)
    assert not torch.equal(drawn, _augment(**FULL).draw(8, 2))
    assert not torch.equal(*drawn)


def test_the_numbers_stay_within_their_bounds():
    """Law: every strength is reached and none exceeded; shifts and middles are whole pixels."""
    augment = _augment(**FULL)
    shift, factor, *whole = torch.cat([augment.draw(step, 8)[0] for step in range(200)]).T
    assert 0.19 < shift.abs().max() <= 0.2
    assert 0.29 < (factor - 1).abs().max() <= 0.3 + 1e-6
    for values, first, last in zip(whole, (-3, -3, 0, 0), (3, 3, 23, 23), strict=True):
        assert torch.equal(values, values.round())
        assert (values.min(), values.max()) == (first, last)


def test_without_strengths_there_is_none(parameters):
    """Law: off by default; one strength alone turns it on."""
    assert DiffAugment.of(parameters(), 0) is None
    augment = DiffAugment.of(parameters(augment_cutout=0.25), 2)
    assert (augment.cutout, augment.size_px, augment.seed, augment.rank) == (0.25, 32, 3, 2)
