"""Controls: names and their order change none of them, and floor and chance are averages."""

from typing import Any

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
from portrait_pipeline.scoring.draws import derangements
from portrait_pipeline.scoring.reference import Reference, Settings, build_reference
from portrait_pipeline.scoring.scores import measure_style, score_pictures, summarise_pairs


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


def test_the_classifier_learns_from_training_pictures_alone_whatever_they_are_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No picture that is judged is among what it learns from, and the settings are its own."""
    shown: list[tuple[np.ndarray, np.ndarray]] = []
    train = module.train_classifier

    def watched(photos: np.ndarray, paintings: np.ndarray, settings: Any) -> Any:
        assert (settings.size_px, settings.num_steps) == (16, 2)
        shown.append((photos, paintings))
        return train(photos, paintings, settings)

    monkeypatch.setattr(module, "train_classifier", watched)
    for order in (np.arange(12), np.random.default_rng(3).permutation(12)):
        built(order, monkeypatch)
    for made, again, training in zip(*shown, (drawn(0, 24)[12:], drawn(1, 36)[12:]), strict=True):
        np.testing.assert_array_equal(made, again)
        assert {crop.tobytes() for crop in made} == {crop.tobytes() for crop in training}


def test_filters_and_recoloured_photographs_have_a_paintings_palette() -> None:
    """The mean colour of each is that of a painting, which is not that of its photograph."""
    red = np.random.default_rng(0).normal((170, 60, 40), 12, (12, 64, 64, 3))
    paintings = FaceSet(NAMES, red.clip(0, 255).astype(np.uint8))
    reference = make_reference(other_paintings=paintings)
    altered = controls._altered_photos()
    for name in ("recoloured_photos", *controls.FILTERS):
        colours = altered[name](reference).mean(axis=(1, 2))
        np.testing.assert_allclose(colours, np.tile((170, 60, 40), (12, 1)), atol=8)


def test_chance_is_the_mean_of_several_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each number, and each end of its interval, is averaged over all orders that are drawn."""
    assert controls.NUM_DRAWS >= 8
    monkeypatch.setattr(controls, "NUM_DRAWS", 3)
    reference = make_reference()
    photos = reference.photo_pixels
    several = [
        summarise_pairs(reference, score_pictures(reference, photos[order]), photos[order])["ssim"]
        for order in derangements(len(photos), 3, reference.settings.seed)
    ]
    chance = controls._measure_chance(reference)["ssim"]
    assert len({one.value for one in several}) == 3
    for end in ("value", "low", "high"):
        mean = np.mean([getattr(one, end) for one in several])
        assert getattr(chance, end) == pytest.approx(mean)


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
