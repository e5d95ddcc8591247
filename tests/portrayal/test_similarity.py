import math

import numpy as np
import pytest
from support.stand_in_model import stand_in_judge

from portrait_pipeline.portrayal.similarity import (
    STEPS,
    DescriptorJudge,
    Likeness,
    Verdict,
    load_judge_of_faces,
    load_recogniser,
)
from portrait_pipeline.portrayal.strips import comparison_strip
from portrait_pipeline.sample import draw_photo


def crop(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)


def test_a_picture_is_like_itself() -> None:
    """Self-similarity is 1 and in words the same person; an inverted picture is its opposite."""
    judge = stand_in_judge()
    assert judge.compare(crop(0), crop(0)).similarity == pytest.approx(1.0)
    assert judge.compare(crop(0), crop(0)).verdict == "same"
    assert judge.compare(crop(0), 255 - crop(0)).similarity < -0.9


@pytest.mark.parametrize(
    ("angle", "verdict"), [(0.0, "same"), (60.0, "alike"), (70.0, "unsure"), (90.0, "stranger")]
)
def test_words_follow_the_number(angle: float, verdict: str) -> None:
    """The verdict steps down as the cosine falls below 0.6, 0.4 and 0.2."""
    rows = np.array([[1.0, 0.0], [math.cos(math.radians(angle)), math.sin(math.radians(angle))]])
    likeness = DescriptorJudge("j", lambda _: rows, (0.2, 0.4, 0.6)).compare(crop(0), crop(1))
    assert likeness.verdict == verdict


@pytest.mark.parametrize("rows", [[[math.nan, 1.0], [1.0, 0.0]], [[0.0, 0.0], [1.0, 0.0]]])
def test_no_descriptor_means_no_face(rows: list[list[float]]) -> None:
    """Where the judge sees no face it says so and gives no number."""
    judge = DescriptorJudge("j", lambda _: np.array(rows), (0.2, 0.4, 0.6))
    likeness = judge.compare(crop(0), crop(1))
    assert likeness.verdict == "no face"
    assert likeness.number == "–"


def test_steps_ascend() -> None:
    """For every judge the words get stronger with the number."""
    assert all(list(steps) == sorted(steps) for steps in STEPS.values())


def test_words_say_what_the_number_goes_by() -> None:
    """Every judge is named in its verdict, and no face stays no face."""
    assert Likeness(0.5, "alike", "geometry").words == (
        "more alike than 99 % of strangers, by face geometry"
    )
    for judge in STEPS:
        assert ", by " in Likeness(0.5, "same", judge).words
    assert Likeness(math.nan, "no face", "geometry").words == "no face to compare"
    assert Likeness(0.5, "alike", "faceres").lines == (
        "similarity 0.50 by FaceRes",
        "more alike than 99 % of strangers",
    )


@pytest.mark.parametrize("verdict", ["same", "alike", "unsure", "stranger"])
def test_a_model_of_drawn_people_is_never_praised(verdict: Verdict) -> None:
    """Whatever the number says, the words compare it with nobody."""
    words = Likeness(0.9, verdict, "geometry", drawn_only=True).words
    assert "alike" not in words
    assert "drawn people only" in words


def test_a_recogniser_is_never_the_teacher() -> None:
    """Where every network trained a model there is none; else one that did not."""
    assert load_recogniser(("dlib", "faceres"), 0.35) is None
    found = load_recogniser(("faceres",), 0.35)
    assert found is not None
    assert found.name == "dlib"


def test_the_real_judge_knows_a_face_again() -> None:
    """The geometry judge finds a drawn face like itself, a little blurred."""
    face = draw_photo(0, 1, 160).photo
    shifted = np.clip(face.astype(int) + 8, 0, 255).astype(np.uint8)
    likeness = load_judge_of_faces("geometry", None, 0.35).compare(face, shifted)
    assert likeness.verdict == "same"


def test_strips_are_as_wide_as_their_pictures() -> None:
    """N pictures give n tiles and n + 1 gaps; a small crop is enlarged, a large one is kept."""
    notes = {"a": ("similarity 0.5", Likeness(0.5, "alike", "j").words)}
    small = comparison_strip(crop(0), {"a": crop(1), "b": crop(2)}, notes)
    assert small.shape[1] == 3 * 256 + 4 * 12
    large = np.zeros((300, 300, 3), dtype=np.uint8)
    assert comparison_strip(large, {"a": large}, notes).shape[1] == 2 * 300 + 3 * 12
