"""People and lit heads from which the tests of the drawing start."""

from dataclasses import fields, replace

import numpy as np

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.geometry import Surface, project, window_around
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.person import make_sitter
from portrait_pipeline.sample.sitter import LitFace, Sitter
from portrait_pipeline.sample.skin import colour_skin, light_skin
from portrait_pipeline.sample.skull import make_face_relief, make_skull

SIZE_PX = 96


def average_person(**traits: float) -> Identity:
    """Return the person with every trait at 0, except those given."""
    return replace(Identity(**{field.name: 0.0 for field in fields(Identity)}), **traits)


def seen_head(sitter: Sitter, capture: Capture) -> Surface:
    """Return the surface of a head without hair."""
    relief = make_face_relief(sitter.person, sitter.face, sitter.at)
    window = window_around(capture.pose, SIZE_PX, 0.85, 1.15, 1.2)
    return project(make_skull(sitter.person), relief, capture.pose, SIZE_PX, window)


def lit_face(person: Identity, capture: Capture) -> tuple[LitFace, Sitter]:
    """Return a lit face without features, and whose it is."""
    sitter = make_sitter(person, capture)
    seen = seen_head(sitter, capture)
    skin = colour_skin(person, sitter.at, seen, sitter.face)
    form = make_skull(person), make_face_relief(person, sitter.face, sitter.at)
    return LitFace(*light_skin(skin, seen, form, sitter.lamps)), sitter


def changed(face: LitFace, before: np.ndarray) -> np.ndarray:
    """Return where a face differs from what it was."""
    return np.abs(face.picture - before).max(axis=0) > 1e-4
