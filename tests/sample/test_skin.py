import numpy as np
from support.drawn_people import average_person, lit_face, seen_head

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.fields import luminance
from portrait_pipeline.sample.person import make_sitter
from portrait_pipeline.sample.skin import colour_skin, skin_colours


def test_skin_darkens_with_its_tone() -> None:
    """From fair to dark the base colour has less and less light; shade is darker than skin."""
    tones = [average_person(skin_tone=tone) for tone in np.linspace(-1.0, 1.0, 9)]
    light = [luminance(skin_colours(person).base).item() for person in tones]
    assert (np.diff(light) < 0.0).all()
    for person in tones:
        colours = skin_colours(person)
        assert luminance(colours.dark).item() < luminance(colours.base).item()


def test_age_draws_lines(capture: Capture) -> None:
    """An old face has darker lines than a young one of the same tone."""
    means = []
    for age in (-1.0, 1.0):
        sitter = make_sitter(average_person(age=age), capture)
        seen = seen_head(sitter, capture)
        skin = colour_skin(sitter.person, sitter.at, seen, sitter.face)
        means.append(luminance(skin)[seen.cover > 0.99].mean())
    assert means[1] < means[0]


def test_freckles_are_for_fair_skin(capture: Capture) -> None:
    """The trait changes fair skin and leaves dark skin as it is."""
    for tone, freckled in ((-0.8, True), (0.5, False)):
        drawn = []
        for freckles in (0.5, 0.6):
            sitter = make_sitter(average_person(skin_tone=tone), capture)
            seen = seen_head(sitter, capture)
            person = average_person(skin_tone=tone, freckles=freckles)
            drawn.append(colour_skin(person, sitter.at, seen, sitter.face))
        darker = (drawn[1] / drawn[0]).min()
        assert (darker < 0.9) == freckled


def test_light_on_skin_is_finite_and_not_negative(capture: Capture) -> None:
    """The lit skin is light, and the gloss lies in [0, 1]."""
    face, _ = lit_face(average_person(), capture)
    assert np.isfinite(face.picture).all()
    assert face.picture.min() >= 0.0
    assert 0.0 <= face.gloss.min() <= face.gloss.max() <= 1.0
