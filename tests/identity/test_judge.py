"""The judges on faces: a photo that was only recoloured and blurred is still that person."""

from itertools import product

import numpy as np
import pytest
from PIL import Image, ImageFilter
from support.face_crops import real_faces

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.identity.face_finder import find_faces
from portrait_pipeline.identity.judge import check_judge_is_not_teacher, load_judge
from portrait_pipeline.identity.landmarks import find_landmarks
from portrait_pipeline.metrics.landmark_error import landmark_errors
from portrait_pipeline.metrics.rank import rank_rate


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    """40 crops of photographs, 64 px."""
    return real_faces("photos", 40)


@pytest.fixture(scope="module")
def painted(photos: np.ndarray) -> np.ndarray:
    """The same, smoothed and with other colours."""
    smooth = (
        Image.fromarray(crop)
        .filter(ImageFilter.MedianFilter(3))
        .filter(ImageFilter.GaussianBlur(0.7))
        for crop in photos
    )
    recoloured = np.stack([np.asarray(image) for image in smooth]) * np.array([0.85, 0.8, 0.6]) + 20
    return recoloured.astype(np.uint8)


@pytest.mark.parametrize("name", ["geometry", "dlib"])
def test_recoloured_photos_are_found_again(
    name: str, photos: np.ndarray, painted: np.ndarray
) -> None:
    """At least three of five at rank-1 (drawn faces are more alike), shuffled pairs at chance."""
    judge = load_judge(name)
    gallery, probes = judge(photos), judge(painted)
    assert len(gallery) == len(photos)
    assert rank_rate(probes, gallery, 1).value >= 0.6
    assert rank_rate(np.roll(probes, 7, axis=0), gallery, 1).value <= 0.05


def test_landmarks_stay_where_they_were(photos: np.ndarray, painted: np.ndarray) -> None:
    """Recolouring moves them by far less than another person's face in their place."""
    of_photos, of_painted = find_landmarks(photos), find_landmarks(painted)
    assert of_photos.shape == (len(photos), 68, 2)
    assert (of_photos > 0.0).mean() > 0.95
    own = landmark_errors(of_painted, of_photos).mean()
    assert own < 0.1
    assert own < landmark_errors(np.roll(of_painted, 7, axis=0), of_photos).mean() / 2


def test_the_detector_finds_faces_and_nothing_else(photos: np.ndarray) -> None:
    """It sees nearly every photo's face, and none in noise or in a flat picture."""
    noise = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    flat = np.full((2, 64, 64, 3), 128, dtype=np.uint8)
    found = find_faces(np.concatenate([photos[:20], noise, flat]))
    assert found[:20].mean() >= 0.9
    assert not found[20:].any()


def test_no_crops() -> None:
    """No picture gives no descriptor, not an error."""
    assert len(load_judge("dlib")(np.empty((0, 64, 64, 3), dtype=np.uint8))) == 0


NETWORKS = ("dlib", "facenet", "facenet-casia-webface", "faceres")
PAIRS = tuple(product((*NETWORKS, "geometry"), NETWORKS))


@pytest.mark.parametrize(("judge", "teacher"), PAIRS)
def test_the_judge_is_never_the_teacher(judge: str, teacher: str) -> None:
    """The same network, or the other FaceNet, is refused with a command; all else may judge."""
    if judge[:7] == teacher[:7]:
        with pytest.raises(PortraitPipelineError, match=rf"judge={judge} .* --params judge="):
            check_judge_is_not_teacher(judge, teacher)
    else:
        check_judge_is_not_teacher(judge, teacher)
