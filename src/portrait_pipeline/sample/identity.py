"""The hidden identity: the traits that a drawn person has in every picture."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

FEMININE_PULL = {
    "jaw_width": -0.55,
    "chin_width": -0.45,
    "brow_thickness": -0.5,
    "brow_depth": -0.5,
    "brow_height": 0.4,
    "eye_size": 0.35,
    "nose_size": -0.35,
    "upper_lip": 0.35,
    "lower_lip": 0.35,
    "head_width": -0.15,
    "neck_width": -0.6,
}


@dataclass(frozen=True)
class Identity:
    """The traits of a person, each in [-1, 1] with 0 the average.

    Traits that name a choice (`hair_cut`, `beard`, `glasses`, …) are divided into intervals where
    they are drawn, so that a person is one vector of real numbers. Pose, light, expression and
    clothes belong to a picture, not to the person.
    """

    femininity: float
    age: float
    head_width: float
    jaw_width: float
    jaw_squareness: float
    chin_width: float
    chin_length: float
    cheekbones: float
    fullness: float
    forehead: float
    brow_height: float
    brow_thickness: float
    brow_slope: float
    brow_arch: float
    brow_depth: float
    eye_spacing: float
    eye_size: float
    eye_opening: float
    eye_tilt: float
    eye_height: float
    lid_fold: float
    iris_colour: float
    nose_length: float
    nose_width: float
    nose_size: float
    nose_tip: float
    nose_bridge: float
    mouth_width: float
    mouth_height: float
    upper_lip: float
    lower_lip: float
    lip_colour: float
    ears: float
    neck_width: float
    skin_tone: float
    skin_warmth: float
    freckles: float
    blush: float
    hair_colour: float
    hair_warmth: float
    hair_cut: float
    hair_volume: float
    hair_curl: float
    hair_part: float
    hairline: float
    beard: float
    glasses: float

    @property
    def vector(self) -> Float[np.ndarray, "traits"]:
        """Return the traits as float32 in [-1, 1], in the order of the fields."""
        return np.array([getattr(self, field.name) for field in fields(self)], dtype=np.float32)

    @property
    def feminine(self) -> bool:
        """Return which of the two ranges of haircuts, beards and clothes applies."""
        return self.femininity > 0.0

    def details(self) -> np.random.Generator:
        """Return the random generator for details of the person: freckles, strands, locks."""
        return np.random.default_rng(self.vector.view(np.uint32))


def draw_identity(rng: np.random.Generator) -> Identity:
    """Draw a person: uniform traits, some of them correlated with femininity."""
    names = [field.name for field in fields(Identity)]
    traits = dict(zip(names, rng.uniform(-1.0, 1.0, len(names)), strict=True))
    sign = np.sign(traits["femininity"])
    for name, pull in FEMININE_PULL.items():
        traits[name] = (1.0 - abs(pull)) * traits[name] + pull * sign
    # rounded to float32 first, so that the vector holds exactly the values used for drawing
    return Identity(**{name: float(np.float32(value)) for name, value in traits.items()})
