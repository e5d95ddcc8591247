"""Inception's features: a range that is checked, and what happens without weights."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from portrait_pipeline.downloads import DownloadError
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.metrics import inception as module
from portrait_pipeline.metrics.inception import inception_features, load_inception


def pictures(count: int, seed: int, brightness: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    level = 0.3 * torch.randn(count, 3, 1, 1, generator=generator)
    grain = 0.2 * torch.randn(count, 3, 16, 16, generator=generator)
    return (level + grain + brightness).clamp(-1.0, 1.0)


def test_the_wrong_range_is_refused() -> None:
    """Pictures outside [-1, 1] raise before any network sees them."""
    with pytest.raises(ValueError, match="expected data_range"):
        inception_features(pictures(5, seed=9) * 3.0, nn.Identity())


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
