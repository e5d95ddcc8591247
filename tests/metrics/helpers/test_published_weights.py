"""Published weights: from the cache, or fetched once and checked against the name."""

import hashlib
from pathlib import Path

import pytest
import torch

from portrait_pipeline.downloads import DownloadError
from portrait_pipeline.metrics.helpers import published_weights as module
from portrait_pipeline.metrics.helpers.published_weights import fetch_published_weights

CONTENT = b"weights"
DIGITS = hashlib.sha256(CONTENT).hexdigest()[:8]


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the network: every address holds the same seven bytes."""
    asked: list[str] = []

    def download(url: str, target: Path, *_: object) -> Path:
        asked.append(url)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(CONTENT)
        return target

    monkeypatch.setattr(module, "download_file", download)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return asked


def test_is_fetched_once_into_the_cache_of_pytorch(downloads: list[str], tmp_path: Path) -> None:
    """The first call fetches, the second finds the file where torch.hub would."""
    url = f"https://example.org/a/net-2015-{DIGITS}.pth"
    first = fetch_published_weights(url, "do without")
    assert first == tmp_path / "checkpoints" / f"net-2015-{DIGITS}.pth"
    assert fetch_published_weights(url, "do without") == first
    assert downloads == [url]


def test_a_file_that_is_not_what_its_name_says_is_not_kept(
    downloads: list[str], tmp_path: Path
) -> None:
    """The name ends in the first digits of the hash; another hash raises and leaves nothing."""
    with pytest.raises(DownloadError, match=r"expected 00000000….*do without"):
        fetch_published_weights("https://example.org/net-00000000.pth", "do without")
    assert list((tmp_path / "checkpoints").iterdir()) == []
