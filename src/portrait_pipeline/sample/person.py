"""A whole person: the layers from back hair to fringe, drawn over one another."""

import numpy as np

from portrait_pipeline.sample.beard import draw_beard
from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.clothes import draw_clothes, draw_period_clothes
from portrait_pipeline.sample.cuts import hair_colour
from portrait_pipeline.sample.ears import draw_ears, draw_glasses
from portrait_pipeline.sample.eyes import draw_brow, draw_eye
from portrait_pipeline.sample.fields import shade
from portrait_pipeline.sample.figure import Figure, empty_figure
from portrait_pipeline.sample.geometry import project, window_around
from portrait_pipeline.sample.hair import draw_hair
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.lighting import turn_light
from portrait_pipeline.sample.mouth import draw_mouth, draw_nostrils
from portrait_pipeline.sample.sitter import LitFace, Sitter
from portrait_pipeline.sample.skin import colour_skin, light_skin, skin_colours
from portrait_pipeline.sample.skull import lay_out, make_face_relief, make_skull
from portrait_pipeline.sample.torso import draw_neck, place_torso


def draw_person(
    person: Identity, capture: Capture, rng: np.random.Generator, size_px: int, *, period: bool
) -> Figure:
    """Draw a person; `rng` chooses the clothes, period ones when `period` is true."""
    sitter = make_sitter(person, capture)
    figure, torso = empty_figure(size_px), place_torso(person, capture, size_px)
    hair = draw_hair(person, capture.pose, sitter.lamps, size_px)
    figure.lay(hair.window, "hair", hair.colour * 0.5, hair.behind)
    draw_neck(figure, torso, sitter.tones)
    dress = draw_period_clothes if period else draw_clothes
    dress(figure, torso, person, rng)
    draw_ears(figure, sitter, capture.pose)
    _draw_head(figure, sitter, capture)
    rows, columns = hair.window
    below = figure.colour[:, rows, columns]
    below[...] = shade(below, 0.45 * hair.shadow * figure.face[hair.window], sitter.tones.dark)
    figure.lay(hair.window, "hair", hair.colour, hair.front)
    return figure


def make_sitter(person: Identity, capture: Capture) -> Sitter:
    """Combine a person with the pose, light and expression of one picture."""
    return Sitter(
        person=person,
        face=capture.expression,
        at=lay_out(person, capture.expression),
        tones=skin_colours(person),
        hair=hair_colour(person),
        lamps=turn_light(capture.light, capture.pose),
        pitch=capture.pose.pitch,
    )


def _draw_head(figure: Figure, sitter: Sitter, capture: Capture) -> None:
    """Draw the head without hair."""
    person, size = sitter.person, len(figure.cover)
    window = window_around(capture.pose, size, 0.85, 1.15, 1.2)
    skull, relief = make_skull(person), make_face_relief(person, sitter.face, sitter.at)
    seen = project(skull, relief, capture.pose, size, window)
    skin = colour_skin(person, sitter.at, seen, sitter.face)
    face = LitFace(*light_skin(skin, seen, (skull, relief), sitter.lamps))
    draw_nostrils(face, sitter)
    draw_mouth(face, sitter)
    draw_beard(face, sitter)
    for side in (-1.0, 1.0):
        draw_eye(face, sitter, side)
        draw_brow(face, sitter, side)
    draw_glasses(face, sitter)
    figure.lay(window, "skin", face.picture, seen.cover)
