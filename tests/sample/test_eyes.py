import numpy as np
from support.drawn_people import average_person, changed, lit_face

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.eyes import IRISES, draw_brow, draw_eye, iris_colour


def test_light_irises_need_fair_skin() -> None:
    """Fair people may have every iris, others the two brown ones."""
    for tone, count in ((-0.5, len(IRISES)), (0.5, 2)):
        chosen = {
            iris_colour(average_person(skin_tone=tone, iris_colour=trait)).tobytes()
            for trait in np.linspace(-1.0, 1.0, 61)
        }
        assert chosen == {iris.tobytes() for iris in IRISES[:count]}


def test_an_eye_and_a_brow_stay_on_their_side(capture: Capture) -> None:
    """The right eye changes nothing left of the nose, and the left one nothing right of it."""
    for side in (-1.0, 1.0):
        for draw in (draw_eye, draw_brow):
            face, sitter = lit_face(average_person(), capture)
            before = face.picture.copy()
            draw(face, sitter, side)
            where = changed(face, before)
            assert where.any()
            assert (np.sign(face.seen.x[where]) == side).all()
