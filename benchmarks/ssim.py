"""Time SSIM of 500 pairs at 256 px against a loop over scikit-image.

    python benchmarks/ssim.py [--pairs 500] [--size-px 256] [--threads 2]

scikit-image is timed on what a person has at hand: uint8 crops, and float32 pictures in [-1, 1].
One busy core of an EPYC, `--pairs 40 --rounds 5 --threads 1`: ours 15 ms a pair, scikit-image 48 ms
(float32, 3.1 ×) and 88 ms (uint8, 5.8 ×); largest disagreement 6.5e-8.

Rounds of each alternate, and the shortest counts, so that other work on the machine disturbs least.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from portrait_pipeline.images import to_pixels
from portrait_pipeline.metrics.ssim import ssim

LIKE_OURS = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def main() -> None:
    """Print seconds for each way, how many times faster ours is, and the largest disagreement."""
    options = _options()
    torch.set_num_threads(options.threads)
    photos, portraits = _pairs(options.pairs, options.size_px)
    pixels = (to_pixels(photos), to_pixels(portraits))
    ways = {
        "ours": lambda: ssim(photos, portraits, (-1.0, 1.0)).numpy(),
        "scikit-image float32": lambda: _loop(photos.numpy(), portraits.numpy(), 2.0, 0),
        "scikit-image uint8": lambda: _loop(*pixels, 255.0, 2),
    }
    seconds, values = _time(ways, options.rounds)
    for name, value in seconds.items():
        print(f"{name:22} {value:7.2f} s  {value / seconds['ours']:5.1f} × ours")
    exact = _loop(photos.double().numpy(), portraits.double().numpy(), 2.0, 0)
    print(f"largest disagreement with scikit-image in float64: {np.abs(values - exact).max():.1e}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time SSIM against scikit-image.")
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--size-px", type=int, default=256)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _pairs(num_pairs: int, size_px: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shape = (num_pairs, 3, size_px, size_px)
    photos = torch.rand(shape, generator=generator) * 2.0 - 1.0
    noise = torch.randn(shape, generator=generator)
    return photos, (photos + 0.3 * noise).clamp(-1.0, 1.0)


def _loop(
    photos: np.ndarray, portraits: np.ndarray, data_range: float, channel_axis: int
) -> np.ndarray:
    settings = {**LIKE_OURS, "data_range": data_range, "channel_axis": channel_axis}
    pairs = zip(photos, portraits, strict=True)
    return np.array([structural_similarity(*pair, **settings) for pair in pairs])


def _time(
    ways: dict[str, Callable[[], np.ndarray]], rounds: int
) -> tuple[dict[str, float], np.ndarray]:
    seconds = dict.fromkeys(ways, float("inf"))
    values = {}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            values[name] = way()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds, values["ours"]


if __name__ == "__main__":
    main()
