"""The classifier of paintings: it learns from two kinds, repeats with its seed, and counts."""

import numpy as np
import pytest
import torch
from torch import Tensor

from portrait_pipeline.metrics import deception
from portrait_pipeline.metrics.deception import (
    deception_rate,
    taken_for_paintings,
    train_classifier,
)
from portrait_pipeline.parameters import DeceptionParameters

QUICK = DeceptionParameters(size_px=16, num_filters=4, num_steps=60, batch_size=16)


def kind(count: int, seed: int, period: int) -> np.ndarray:
    """Draw stripes of one period in random colours."""
    rng = np.random.default_rng(seed)
    stripes = (np.arange(16) // period % 2)[None, None, :, None]
    ends = rng.integers(0, 256, (count, 2, 1, 1, 3))
    return np.broadcast_to(
        np.where(stripes == 0, ends[:, 0], ends[:, 1]), (count, 16, 16, 3)
    ).astype(np.uint8)


def test_it_tells_two_kinds_of_texture_apart_whatever_their_colour() -> None:
    """Broad stripes are the paintings: new ones pass, new narrow ones do not, dark or not."""
    network = train_classifier(kind(40, 0, 1), kind(40, 1, 4), QUICK)
    photos, paintings = kind(40, 2, 1), kind(40, 3, 4)
    assert taken_for_paintings(paintings, network).mean() > 0.8
    assert taken_for_paintings(photos, network).mean() < 0.2
    assert taken_for_paintings((photos * 0.6).astype(np.uint8), network).mean() < 0.2


def test_the_seed_decides_and_the_global_generator_is_left_alone() -> None:
    """The same settings give the same classifier, and nobody else's random numbers change."""
    settings = QUICK.model_copy(update={"num_steps": 2})
    before = torch.random.get_rng_state()
    other = settings.model_copy(update={"seed": 1})
    made = [train_classifier(kind(8, 0, 1), kind(8, 1, 4), each) for each in (settings, other)]
    assert torch.equal(torch.random.get_rng_state(), before)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)  # what others have drawn so far does not matter
        again = train_classifier(kind(8, 0, 1), kind(8, 1, 4), settings)
    for name, weight in made[0].state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    one, different = (network.state_dict()["layers.0.weight"] for network in made)
    assert not torch.equal(one, different)


def test_every_step_shows_the_pictures_altered(monkeypatch: pytest.MonkeyPatch) -> None:
    """One picture of each kind is seen in other colours and contrasts, and never twice."""
    seen: list[Tensor] = []
    monkeypatch.setattr(
        deception.PaintingClassifier,
        "forward",
        lambda self, images: seen.append(images) or self.head.bias.expand(len(images)),
    )
    train_classifier(kind(1, 0, 1), kind(1, 1, 4), QUICK.model_copy(update={"num_steps": 2}))
    pictures = torch.cat([batch[: QUICK.batch_size // 2] for batch in seen])
    assert len(pictures) == QUICK.batch_size
    assert (pictures.mean(dim=(2, 3)).std(dim=0) > 0.05).all()  # colours, in [-1, 1]
    assert pictures.std(dim=3).mean(dim=(1, 2)).std() > 0.005  # contrast
    assert len({picture.numpy().tobytes() for picture in pictures}) == len(pictures)


def test_a_picture_is_judged_alone_at_any_size() -> None:
    """Its answer does not depend on the pictures beside it; larger ones are brought to size."""
    network = train_classifier(kind(8, 0, 1), kind(8, 1, 4), QUICK)
    crops = kind(6, 4, 4)
    whole = taken_for_paintings(crops, network)
    assert [taken_for_paintings(crops[i : i + 1], network)[0] for i in range(6)] == whole.tolist()
    assert taken_for_paintings(crops.repeat(2, axis=1).repeat(2, axis=2), network).shape == (6,)
    assert taken_for_paintings(crops[:0], network).shape == (0,)


def test_both_kinds_are_needed() -> None:
    """Without paintings there is nothing to learn."""
    with pytest.raises(ValueError, match="expected both"):
        train_classifier(kind(4, 0, 1), kind(4, 0, 1)[:0], QUICK)


def test_the_rate_keeps_its_width_at_the_ends() -> None:
    """All of 40 is no certainty."""
    rate = deception_rate(np.ones(40, dtype=np.bool_))
    assert (rate.value, rate.high) == (1.0, 1.0)
    assert 0.9 < rate.low < 0.93
