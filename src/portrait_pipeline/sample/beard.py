"""Stubble, moustaches and beards."""

import numpy as np

from portrait_pipeline.sample.fields import (
    Plane,
    bump,
    grain,
    over,
    smoothstep,
    strand_noise,
)
from portrait_pipeline.sample.geometry import Surface
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.sitter import LitFace, Sitter
from portrait_pipeline.sample.skull import Layout


def wears_beard(person: Identity) -> bool:
    """Return whether the person has a beard; women and the clean-shaven have none."""
    return not person.feminine and person.beard > -0.25


def beard_mask(person: Identity, at: Layout, seen: Surface) -> Plane:
    """Return where a beard grows and how densely, in [0, 1]."""
    ahead = np.abs(seen.x)
    cheek = at.nose_y + 0.16 - 0.75 * np.clip(ahead - 0.30, 0.0, 0.4)
    jaw = smoothstep(-0.04, 0.08, seen.y - cheek)
    moustache = bump(ahead, seen.y, (0.10, at.mouth_y - 0.075), (0.13, 0.035))
    lips = bump(seen.x, seen.y, (0.0, at.mouth_y + 0.02), (at.mouth_half_width * 0.6, 0.05))
    goatee = bump(seen.x, seen.y, (0.0, at.chin_y - 0.1), (0.17, 0.12))
    if person.beard < 0.2:
        grown = 0.38 * np.maximum(jaw, moustache)
    elif person.beard < 0.4:
        grown = np.minimum(1.25 * moustache, 0.92)
    elif person.beard < 0.6:
        grown = np.clip(1.2 * np.maximum(moustache, goatee), 0.0, 0.9)
    else:
        grown = 0.94 * np.maximum(jaw, np.minimum(1.3 * moustache, 1.0))
    return grown * (1.0 - np.clip(1.15 * lips, 0.0, 1.0))


def draw_beard(face: LitFace, sitter: Sitter) -> None:
    """Draw a beard as short strands over the lit skin."""
    if not wears_beard(sitter.person):
        return
    part = face.part((0.0, 0.8), (1.2, 0.7))
    seen, rng = part.seen, sitter.person.details()
    fine = strand_noise(rng, 1.6 * np.abs(seen.x) + 0.5 * seen.y, 26.0)
    clump = grain(rng, seen.x, seen.y, 11.0)
    lit = sitter.hair * 0.72 * part.arriving * np.clip(0.85 + 0.3 * fine + 0.25 * clump, 0.1, 2.0)
    mask = beard_mask(sitter.person, sitter.at, seen)
    part.put(over(part.picture, lit, np.clip(mask * (1.0 + 0.28 * fine + 0.2 * clump), 0.0, 0.97)))
