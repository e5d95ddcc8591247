"""Controls: names and their order change none of them, and floor and chance are averages."""

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from support.face_crops import FACES
from support.stand_in_reference import NAMES, drawn, evaluation, make_reference

from portrait_pipeline.images import FaceSet
from portrait_pipeline.metrics.identity_similarity import pair_similarities
from portrait_pipeline.metrics.inception import Inception
from portrait_pipeline.metrics.lpips import Lpips
from portrait_pipeline.parameters import TrainingParameters
from portrait_pipeline.scoring import controls
from portrait_pipeline.scoring import reference as module
from portrait_pipeline.scoring.reference import Reference, Settings, build_reference
from portrait_pipeline.scoring.scores import measure_style


def named(prefix: str, pixels: np.ndarray, order: np.ndarray) -> FaceSet:
    """Name crops so that the order of their names is the one given."""
    names = np.empty(len(pixels), dtype=object)
    names[order] = [f"{prefix}{row:03}.png" for row in range(len(pixels))]
    return FaceSet(tuple(names), pixels)


def built(order: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Reference:
    """Build the reference of 12 photos, 12 paintings and 24 training paintings; quick judges."""
    monkeypatch.setattr(module, "load_inception", lambda *_: Inception(None, "none"))
    monkeypatch.setattr(module, "load_lpips", lambda *_: Lpips(None, "none"))
    photos = named("photo", drawn(0, 24), np.concatenate([order, 12 + order]))
    paintings = named("painting", drawn(1, 36), np.concatenate([order, 12 + order, 24 + order]))
    splits = pd.DataFrame(
        [(name, "photo", "test") for name in photos.names[:12]]
        + [(name, "photo", "train") for name in photos.names[12:]]
        + [(name, "painting", "test") for name in paintings.names[:12]]
        + [(name, "painting", "train") for name in paintings.names[12:]],
        columns=["name", "domain", "split"],
    )
    training = TrainingParameters.model_construct(teacher="dlib", teacher_weights=None)
    quick = {"size_px": 16, "num_filters": 4, "num_steps": 2}
    settings = Settings(evaluation(deception=quick), training, FACES)
    no_twins = FaceSet((), drawn(0)[:0])
    own = build_reference(photos, paintings, no_twins, splits, "test", settings)
    sent = cloudpickle.loads(cloudpickle.dumps(own))  # as a runner with workers does
    assert own.takes_for_painting is not None
    answers = [each.takes_for_painting(own.photo_pixels) for each in (own, sent)]
    np.testing.assert_array_equal(*answers)
    return make_reference(
        photos=own.photos, paintings=own.paintings, other_paintings=own.other_paintings
    )


def test_renaming_every_file_changes_no_control(monkeypatch: pytest.MonkeyPatch) -> None:
    """Floor, chance and every altered photograph stay when the files are called otherwise."""
    monkeypatch.setattr(controls, "NUM_DRAWS", 2)
    orders = np.arange(12), np.random.default_rng(3).permutation(12)
    one, other = (built(order, monkeypatch) for order in orders)
    np.testing.assert_array_equal(one.photo_pixels, other.photo_pixels)
    for make in controls._altered_photos().values():
        np.testing.assert_array_equal(make(one), make(other))
    for measure in (controls._measure_floor, controls._measure_chance):
        assert repr(measure(one)) == repr(measure(other))


def test_the_floor_is_the_average_of_random_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the names sort paintings by kind, the first half is not what the floor is made of."""
    monkeypatch.setattr(controls, "NUM_DRAWS", 2)
    kind_a, kind_b = drawn(1, 24), (drawn(2, 24) // 4).astype(np.uint8)
    names = tuple(f"{row:03}.png" for row in range(48))
    others = FaceSet(names, np.concatenate([kind_a, kind_b]))
    mixed = np.concatenate([drawn(3, 6), (drawn(4, 6) // 4).astype(np.uint8)])
    reference = make_reference(paintings=FaceSet(NAMES, mixed), other_paintings=others)
    floor = controls._measure_floor(reference)["swd"].value
    first_by_name = measure_style(reference, others[range(12)], 1)["swd"].value
    assert floor < 0.8 * first_by_name


def test_chance_is_no_neighbour_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neighbours by name show one person, shuffled pairs are strangers all the same."""
    monkeypatch.setattr(controls, "NUM_DRAWS", 4)
    people = FaceSet(NAMES, drawn(7, 6).repeat(2, axis=0))
    chance = controls._measure_chance(make_reference(photos=people))
    assert chance["ssim"].value < 0.5  # a shift by one name would pair half of them with themselves


def test_another_inner_face_lowers_the_judge() -> None:
    """The control of swapped faces shows another person than the photograph does."""
    reference = make_reference()
    swapped = reference.judge(controls._swapped(reference))
    assert pair_similarities(swapped, reference.judged_photos).mean() < 0.999
