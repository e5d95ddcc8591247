"""A whole person: the layers from back hair to glasses, lit and laid over one another."""

from dataclasses import dataclass

import numpy as np

from portrait_pipeline.sample.attire import (
    Torso,
    draw_clothes,
    draw_ears,
    draw_glasses,
    draw_neck,
    draw_period_clothes,
)
from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.features import draw_brow, draw_eye, draw_mouth, draw_nostrils
from portrait_pipeline.sample.fields import Picture, Plane, over, shade
from portrait_pipeline.sample.geometry import Surface, project
from portrait_pipeline.sample.hair import Hair, draw_beard, draw_hair, hair_colour
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.lighting import LightOnHead, turn_light
from portrait_pipeline.sample.skin import SkinColours, colour_skin, light_skin, skin_colours
from portrait_pipeline.sample.skull import lay_out, make_face_relief, make_skull


@dataclass(frozen=True)
class Figure:
    """A person on no background, in linear RGB.

    Attributes:
        colour: The lit person.
        cover: Where the person is, in [0, 1].
        cloth: Where coloured cloth is, in [0, 1].
        face: Where the face is, in [0, 1].
    """

    colour: Picture
    cover: Plane
    cloth: Plane
    face: Plane


def draw_person(
    person: Identity, capture: Capture, rng: np.random.Generator, size_px: int, *, period: bool
) -> Figure:
    """Draw a person; `rng` draws the clothes, of old times when `period`."""
    lamps = turn_light(capture.light, capture.pose)
    tones = skin_colours(person)
    hair = draw_hair(person, capture.pose, lamps, size_px)
    torso = Torso(person, capture, size_px)
    picture = over(np.zeros((size_px, size_px, 3), np.float32), hair.colour * 0.5, hair.behind)
    picture, neck = draw_neck(picture, torso, tones)
    dress = draw_period_clothes if period else draw_clothes
    picture, cloth = dress(picture, torso, person, rng)
    body = inside_body(torso, neck, cloth, picture)
    picture, ears = draw_ears(picture, person, capture, tones, lamps)
    head, seen = _draw_head(person, capture, (lamps, tones, hair), size_px)
    picture = over(picture, head, seen.cover)
    picture = over(picture, hair.colour, hair.front)
    cover = 1.0 - (1.0 - body) * (1.0 - hair.behind) * (1.0 - ears) * (1.0 - seen.cover)
    hidden = np.maximum(np.maximum(seen.cover, hair.front), ears)
    return Figure(picture, np.clip(cover, 0.0, 1.0), cloth * (1.0 - hidden), seen.cover)


def inside_body(torso: Torso, neck: Plane, cloth: Plane, picture: Picture) -> Plane:
    """Where neck or clothes are; white linen counts too."""
    drawn = (picture.sum(axis=-1) > 0.0) & (torso.v > 0.25)
    return np.maximum(np.maximum(neck, cloth), np.where(drawn & (cloth < 0.5), neck, 0.0))


def _draw_head(
    person: Identity,
    capture: Capture,
    made: tuple[LightOnHead, SkinColours, Hair],
    size_px: int,
) -> tuple[Picture, Surface]:
    """Draw the face without hair; returns it with the surface that it was drawn on."""
    lamps, tones, hair = made
    face = capture.expression
    at = lay_out(person, face)
    skull, relief = make_skull(person), make_face_relief(person, face, at)
    seen = project(skull, relief, capture.pose, size_px)
    skin = colour_skin(person, at, seen, face)
    picture, arriving, gloss = light_skin(skin, seen, skull, relief, lamps)
    picture = draw_nostrils(picture, seen, at, tones, capture.pose.pitch)
    picture = draw_mouth(picture, seen, arriving, gloss, (person, face, at, tones))
    picture = draw_beard(picture, person, at, seen, arriving)
    brow = hair_colour(person) * arriving * 0.8
    for side in (-1.0, 1.0):
        picture = draw_eye(picture, side, seen, arriving, (person, face, at, lamps))
        picture = draw_brow(picture, side, seen, brow, person, at)
    picture = draw_glasses(picture, person, at, seen, lamps)
    return shade(picture, 0.45 * hair.shadow, tones.dark), seen
