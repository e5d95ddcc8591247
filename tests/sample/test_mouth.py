from dataclasses import replace

import numpy as np
from support.drawn_people import average_person, changed, lit_face

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.mouth import draw_mouth, draw_nostrils


def test_nostrils_and_mouth_stay_in_their_places(capture: Capture) -> None:
    """Each changes the picture near its feature and nowhere above the eyes."""
    for draw, height in ((draw_nostrils, "nose_y"), (draw_mouth, "mouth_y")):
        face, sitter = lit_face(average_person(), capture)
        before = face.picture.copy()
        draw(face, sitter)
        where = changed(face, before)
        assert where.any()
        assert np.abs(face.seen.y[where] - getattr(sitter.at, height)).max() < 0.4


def test_an_open_mouth_is_dark_or_shows_teeth(capture: Capture) -> None:
    """Opening the mouth changes the pixels on the line between the lips."""
    shut = replace(capture, expression=replace(capture.expression, open_mouth=0.0))
    wide = replace(capture, expression=replace(capture.expression, open_mouth=1.0))
    pictures = []
    for moment in (shut, wide):
        face, sitter = lit_face(average_person(), moment)
        draw_mouth(face, sitter)
        between = np.abs(face.seen.y - sitter.at.mouth_y - 0.03) < 0.03
        pictures.append(face.picture[:, between & (np.abs(face.seen.x) < 0.1)].mean())
    assert abs(pictures[0] - pictures[1]) > 0.01
