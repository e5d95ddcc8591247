"""LPIPS with a backbone of its own shape, and what happens without one."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision.models import squeezenet1_1

from portrait_pipeline.downloads import DownloadError
from portrait_pipeline.metrics import lpips as module
from portrait_pipeline.metrics.lpips import BACKBONE_URLS, load_lpips, lpips_distance


def noise(count: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, 64, 64, generator=generator) * 2.0 - 1.0


@pytest.fixture
def backbone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an untrained SqueezeNet where the real one would lie in the cache."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    path = tmp_path / "checkpoints" / Path(BACKBONE_URLS["squeeze"]).name
    path.parent.mkdir()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(squeezenet1_1(weights=None).state_dict(), path)


@pytest.mark.usefixtures("backbone")
def test_laws_with_the_real_library() -> None:
    """One number per pair, 0 for the same picture, symmetric, and a single pair keeps its shape."""
    loaded = load_lpips("squeeze")
    assert loaded.reason is None
    assert loaded.network is not None
    a, b = noise(3, seed=0), noise(3, seed=1)
    forth = lpips_distance(a, b, loaded.network)
    assert forth.shape == (3,)
    assert (forth > 0.0).all()
    torch.testing.assert_close(lpips_distance(b, a, loaded.network), forth)
    assert lpips_distance(a, a, loaded.network).tolist() == [0.0] * 3
    assert lpips_distance(a[:1], b[:1], loaded.network).shape == (1,)


def test_without_the_backbone_there_is_no_network_but_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No network, and why."""

    def offline(url: str, hint: str) -> Path:
        raise DownloadError(f"{url} was given up after no route; {hint}")

    monkeypatch.setattr(module, "fetch_published_weights", offline)
    loaded = load_lpips()
    assert loaded.network is None
    assert loaded.reason is not None
    assert loaded.reason.startswith("https://")


def test_the_wrong_range_is_refused() -> None:
    """Values outside [-1, 1] raise before the network is asked."""

    def never(a: Tensor, b: Tensor) -> Tensor:
        raise AssertionError("the network was asked")

    with pytest.raises(ValueError, match="expected data_range"):
        lpips_distance(noise(1, seed=4) * 2.0, noise(1, seed=5), never)
