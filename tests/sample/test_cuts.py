import numpy as np
import pytest
from support.drawn_people import average_person

from portrait_pipeline.sample.cuts import (
    FEMININE_CUTS,
    MASCULINE_CUTS,
    choose_cut,
    hair_colour,
    make_hair_shell,
)
from portrait_pipeline.sample.fields import luminance
from portrait_pipeline.sample.skull import make_skull


def test_the_trait_reaches_every_cut() -> None:
    """Over its range the trait chooses each haircut of the person's own list and no other."""
    for femininity, cuts in ((-0.5, MASCULINE_CUTS), (0.5, FEMININE_CUTS)):
        chosen = {
            choose_cut(average_person(femininity=femininity, hair_cut=trait))
            for trait in np.linspace(-1.0, 1.0, 101)
        }
        assert chosen == set(cuts)


def test_hair_greys_with_age_and_is_dark_with_dark_skin() -> None:
    """Old hair is lighter than young hair; the lightest hair needs fair skin."""
    young, old = average_person(age=-1.0, hair_colour=-1.0), average_person(age=1.0, hair_colour=-1)
    assert luminance(hair_colour(old)).item() > 2.0 * luminance(hair_colour(young)).item()
    fair, dark = (average_person(hair_colour=1.0, skin_tone=tone) for tone in (-1.0, 1.0))
    assert luminance(hair_colour(dark)).item() < luminance(hair_colour(fair)).item()


@pytest.mark.parametrize("trait", np.linspace(-1.0, 1.0, 8))
@pytest.mark.parametrize("femininity", [-0.5, 0.5])
def test_hair_encloses_the_skull(trait: float, femininity: float) -> None:
    """Above the eyes the shell of hair is nowhere narrower than the skull."""
    person = average_person(femininity=femininity, hair_cut=trait)
    hair, skull = make_hair_shell(person, choose_cut(person)), make_skull(person)
    heights = np.linspace(-1.7, 3.0, len(hair.width))
    above = (heights > -0.9) & (heights < 0.0)
    assert (hair.width[above] >= skull.width[above] - 0.01).all()
