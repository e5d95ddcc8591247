"""KID with a tiny stand-in for Inception: laws, and what happens without weights."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from portrait_pipeline.downloads import DownloadError
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.metrics import kid as module
from portrait_pipeline.metrics.kid import inception_features, kid, kid_of_features, load_inception


class TinyNetwork(nn.Module):
    """Mean and deviation of each colour in the four quarters, of uint8 pictures."""

    def forward(self, pixels: Tensor) -> Tensor:
        assert pixels.dtype == torch.uint8
        parts = nn.functional.unfold(pixels.float() / 255.0, 8, stride=8).unflatten(1, (3, 64))
        return torch.cat([parts.mean(2), parts.std(2)], dim=1).flatten(1)


def pictures(count: int, seed: int, brightness: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    level = 0.3 * torch.randn(count, 3, 1, 1, generator=generator)
    grain = 0.2 * torch.randn(count, 3, 16, 16, generator=generator)
    return (level + grain + brightness).clamp(-1.0, 1.0)


def test_alike_sets_are_at_zero_and_others_further_away() -> None:
    """Two sets of one kind lie about 0, and the distance grows with the difference."""
    network = TinyNetwork()
    paintings = pictures(60, seed=0)
    same = kid(pictures(60, seed=1), paintings, network, 0)
    near = kid(pictures(60, seed=2, brightness=0.2), paintings, network, 0)
    far = kid(pictures(60, seed=3, brightness=0.5), paintings, network, 0)
    assert same.low < 0.0 < same.high
    assert same.value < near.value < far.value
    assert far.low > 0.0
    assert far.n == 60


def test_is_the_estimate_of_torchmetrics_on_the_whole_sets() -> None:
    """The mean over halves agrees with torchmetrics' unbiased estimate from everything."""
    from torchmetrics.image.kid import poly_mmd  # noqa: PLC0415

    network = TinyNetwork()
    a = inception_features(pictures(40, seed=4, brightness=0.4), network)
    b = inception_features(pictures(40, seed=5), network)
    result = kid_of_features(a, b, 0)
    assert result.value == pytest.approx(float(poly_mmd(a, b)), rel=0.1)
    assert result.low < result.value < result.high


def test_seed_decides_and_the_global_generator_is_left_alone() -> None:
    """The same seed gives the same number, and nobody else's random numbers change."""
    a, b = torch.rand(2, 12, 6, generator=torch.Generator().manual_seed(6))
    before = torch.random.get_rng_state()
    assert kid_of_features(a, b, 1) == kid_of_features(a, b, 1)
    assert kid_of_features(a, b, 1) != kid_of_features(a, b, 2)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_without_a_network_there_is_no_number() -> None:
    """No weights, no number; how many pictures there were is still said."""
    result = kid(pictures(5, seed=7), pictures(6, seed=8), None, 0)
    assert math.isnan(result.value)
    assert math.isnan(result.low)
    assert result.n == 5


def test_what_does_not_fit_is_refused() -> None:
    """The wrong range and sets too small for halves raise."""
    network = TinyNetwork()
    with pytest.raises(ValueError, match="expected data_range"):
        kid(pictures(5, seed=9) * 3.0, pictures(5, seed=9), network, 0)
    with pytest.raises(ValueError, match="expected 4 or more"):
        kid(pictures(3, seed=9), pictures(5, seed=9), network, 0)


def test_weights_that_cannot_be_had_are_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network the reason names the address' trouble and how to name a file."""

    def offline(url: str, hint: str) -> Path:
        raise DownloadError(f"{url} was given up after no route; {hint}")

    monkeypatch.setattr(module, "fetch_published_weights", offline)
    found = load_inception()
    assert found.network is None
    assert found.reason is not None
    assert found.reason.startswith("https://")
    assert "evaluation.inception_weights=FILE" in found.reason


def test_a_named_file_must_be_the_weights(tmp_path: Path) -> None:
    """A path with nothing there, text, or another network's weights is refused in one sentence."""
    with pytest.raises(PortraitPipelineError, match="is not there"):
        load_inception(str(tmp_path / "nothing.pth"))
    text = tmp_path / "text.pth"
    text.write_text("not weights")
    other = tmp_path / "other.pth"
    torch.save(nn.Linear(2, 2).state_dict(), other)
    for path in (text, other):
        with pytest.raises(PortraitPipelineError, match="does not hold the Inception weights"):
            load_inception(str(path))


def test_the_real_network_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch-fidelity's Inception, with weights of its own shape, gives 2048 features a picture."""
    from torch_fidelity import feature_extractor_inceptionv3 as theirs  # noqa: PLC0415

    with monkeypatch.context() as patch:
        patch.setattr(theirs, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(nn.Module, "load_state_dict", lambda *_, **__: None)
        blank = theirs.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    path = tmp_path / "inception.pth"
    torch.save(blank.state_dict(), path)
    network = load_inception(str(path)).network
    assert network is not None
    assert inception_features(pictures(2, seed=10), network).shape == (2, 2048)
