"""Blending of two pictures that keeps the strength of their grain."""

import numpy as np
from jaxtyping import Float

Layer = Float[np.ndarray, "height width channels"]

KERNEL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0
"""Binomial: nearly a Gaussian with a standard deviation of one pixel."""
NUM_FINE, NUM_WIDE = 2, 6
"""How often it is applied to part grain from colour, and to average the energy of the grain."""
MAX_GAIN = 1.5
"""A mean of two independent grains with equal weights has 1/√2 of their strength."""


def blend_with_grain(
    below: Layer, above: Layer, opacity: Float[np.ndarray, "height width"]
) -> Layer:
    """Blend two layers, colours and grain apart.

    Where both show through, a mean of two independent grains would be smoother than either, which
    the eye takes for a halo. So grain is brought to the local energy that lies between both.
    Equal layers are not changed, and where the opacity is 0 or 1 one layer is returned as it is.

    Args:
        below: RGB layer, in [0, 255].
        above: RGB layer of the same size.
        opacity: How much of `above` shows, in [0, 1].
    """
    weight = opacity[..., None]
    colour_below, colour_above = smoothed(below, NUM_FINE), smoothed(above, NUM_FINE)
    grain_below, grain_above = below - colour_below, above - colour_above
    grain = (1.0 - weight) * grain_below + weight * grain_above
    wanted = (1.0 - weight) * _energy(grain_below) + weight * _energy(grain_above)
    gain = np.sqrt((wanted + 1e-6) / (_energy(grain) + 1e-6))
    is_mixed = (weight > 0.0) & (weight < 1.0)
    grain = grain * np.where(is_mixed, np.clip(gain, 1.0, MAX_GAIN), 1.0)
    return np.asarray((1.0 - weight) * colour_below + weight * colour_above + grain)


def smoothed(layer: Layer, times: int) -> Layer:
    """Smooth each channel with the kernel, `times` over; the border pixel goes on beyond."""
    for _ in range(times):
        for axis in (0, 1):
            pad = [(2, 2) if place == axis else (0, 0) for place in range(3)]
            padded = np.pad(layer, pad, mode="edge")
            length = layer.shape[axis]
            layer = np.sum(
                [
                    share * padded.take(range(start, start + length), axis=axis)
                    for start, share in enumerate(KERNEL)
                ],
                axis=0,
            )
    return layer


def _energy(grain: Layer) -> Float[np.ndarray, "height width 1"]:
    return smoothed((grain**2).mean(axis=-1, keepdims=True), NUM_WIDE)
