import numpy as np
from support.drawn_people import average_person, lit_face

from portrait_pipeline.sample.capture import Capture


def test_a_part_shares_the_memory_of_its_face(capture: Capture) -> None:
    """What is drawn into a part appears in the face, and nowhere else."""
    face, sitter = lit_face(average_person(), capture)
    before = face.picture.copy()
    part = face.part((0.0, sitter.at.nose_y), (0.2, 0.2))
    assert np.shares_memory(part.picture, face.picture)
    part.put(np.full_like(part.picture, 0.5))
    drawn = np.abs(face.picture - before).max(axis=0) > 0.0
    assert drawn.sum() <= part.picture[0].size
    assert drawn[np.abs(face.seen.y - sitter.at.nose_y) > 0.4].sum() == 0


def test_a_part_shows_the_points_within_reach(capture: Capture) -> None:
    """All planes of a part have one shape, and its points lie near the centre asked for."""
    face, sitter = lit_face(average_person(), capture)
    part = face.part((0.0, sitter.at.mouth_y), (0.3, 0.2))
    assert part.picture.shape[1:] == part.seen.x.shape == part.gloss.shape
    near = (np.abs(face.seen.x) < 0.2) & (np.abs(face.seen.y - sitter.at.mouth_y) < 0.1)
    inside = (np.abs(part.seen.x) < 0.2) & (np.abs(part.seen.y - sitter.at.mouth_y) < 0.1)
    assert inside.sum() == near.sum() > 0
