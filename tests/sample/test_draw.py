import numpy as np
import pytest
from facenet_pytorch import MTCNN

from portrait_pipeline.sample import SamplePhoto, draw_painting, draw_photo
from portrait_pipeline.sample.capture import draw_capture
from portrait_pipeline.sample.draw import picture_person
from portrait_pipeline.sample.identity import draw_identity

SEED, SIZE, COUNT = 0, 160, 40


@pytest.fixture(scope="module")
def photos() -> list[SamplePhoto]:
    return [draw_photo(index, SEED, SIZE) for index in range(COUNT)]


@pytest.fixture(scope="module")
def portraits() -> list[np.ndarray]:
    return [draw_painting(index, SEED, SIZE) for index in range(COUNT)]


@pytest.fixture(scope="module")
def detector() -> MTCNN:
    return MTCNN(select_largest=True, device="cpu")


def _found_share(detector: MTCNN, pictures: list[np.ndarray]) -> float:
    _, probabilities = detector.detect(np.stack(pictures))
    best = [0.0 if row[0] is None else float(row[0]) for row in probabilities]
    return float(np.mean(np.array(best) >= 0.9))


def _luminance(picture: np.ndarray) -> np.ndarray:
    return picture @ np.array([0.3, 0.59, 0.11])


@pytest.mark.parametrize("size_px", [64, 160, 201])
def test_pictures_are_square_uint8_rgb(size_px: int) -> None:
    """Every picture is uint8, square, of the size asked, and uses the range."""
    drawn = draw_photo(3, SEED, size_px)
    for picture in (drawn.photo, drawn.painted_twin, draw_painting(3, SEED, size_px)):
        assert picture.dtype == np.uint8
        assert picture.shape == (size_px, size_px, 3)
        assert int(picture.max()) - int(picture.min()) > 100


def test_same_index_and_seed_give_the_same_pixels(photos: list[SamplePhoto]) -> None:
    """A picture is a function of index and seed alone, whatever was drawn before it."""
    again = draw_photo(7, SEED, SIZE)
    np.testing.assert_array_equal(again.photo, photos[7].photo)
    np.testing.assert_array_equal(again.painted_twin, photos[7].painted_twin)
    np.testing.assert_array_equal(again.identity, photos[7].identity)


def test_portraits_do_not_depend_on_what_else_is_drawn(portraits: list[np.ndarray]) -> None:
    """Portraits drawn alone, after others and in another order are the same."""
    for index in (9, 2):
        np.testing.assert_array_equal(draw_painting(index, SEED, SIZE), portraits[index])


def test_seeds_indices_and_domains_differ(photos: list[SamplePhoto]) -> None:
    """Another seed, another index or the other domain is another person."""
    vectors = {
        tuple(drawn.identity)
        for drawn in (*photos, draw_photo(0, SEED + 1, SIZE), draw_photo(1, SEED + 1, SIZE))
    }
    assert len(vectors) == COUNT + 2
    assert not np.array_equal(draw_painting(0, SEED, SIZE), photos[0].painted_twin)
    assert not np.array_equal(draw_painting(0, SEED + 1, SIZE), draw_painting(0, SEED, SIZE))


def test_size_changes_the_grain_but_not_the_moment() -> None:
    """The same index at twice the size shows the same person in the same place."""
    small, large = draw_photo(5, SEED, 96), draw_photo(5, SEED, 192)
    np.testing.assert_array_equal(small.identity, large.identity)
    shrunk = _luminance(large.photo).reshape(96, 2, 96, 2).mean(axis=(1, 3))
    assert np.corrcoef(shrunk.ravel(), _luminance(small.photo).ravel())[0, 1] > 0.8


def test_identity_is_bounded_and_varies(photos: list[SamplePhoto]) -> None:
    """Traits lie in [-1, 1], and each of them differs between people."""
    vectors = np.stack([drawn.identity for drawn in photos])
    assert vectors.dtype == np.float32
    assert np.abs(vectors).max() <= 1.0
    assert (vectors.std(axis=0) > 0.2).all()


def test_twin_has_the_light_of_the_photo_in_the_face(photos: list[SamplePhoto]) -> None:
    """Inside the face the twin's luminance follows the photo's."""
    middle = slice(SIZE // 3, 2 * SIZE // 3)
    agreement = [
        np.corrcoef(
            _luminance(drawn.photo)[middle, middle].ravel(),
            _luminance(drawn.painted_twin)[middle, middle].ravel(),
        )[0, 1]
        for drawn in photos
    ]
    assert np.median(agreement) > 0.8
    assert min(agreement) > 0.4


def test_twin_has_the_features_where_the_photo_has_them(
    photos: list[SamplePhoto], detector: MTCNN
) -> None:
    """The detector's landmarks of photo and twin agree to 2 % of the picture."""
    some = photos[:16]
    _, _, of_photos = detector.detect(np.stack([d.photo for d in some]), landmarks=True)
    _, _, of_twins = detector.detect(np.stack([d.painted_twin for d in some]), landmarks=True)
    apart = [
        np.linalg.norm(np.array(a[0] - b[0], dtype=float), axis=1).mean()
        for a, b in zip(of_photos, of_twins, strict=True)
        if a is not None and b is not None
    ]
    assert len(apart) >= 15
    assert np.median(apart) < 0.02 * SIZE


def test_paintings_are_warmer_and_darker_than_photos(
    photos: list[SamplePhoto], portraits: list[np.ndarray]
) -> None:
    """Twins and portraits share a manner: dark grounds and little blue, unlike photos."""
    warmth = {
        name: np.mean([p[..., 0].mean() - p[..., 2].mean() for p in pictures])
        for name, pictures in (
            ("photo", [d.photo for d in photos]),
            ("twin", [d.painted_twin for d in photos]),
            ("portrait", portraits),
        )
    }
    assert warmth["twin"] > warmth["photo"] + 10.0
    assert warmth["portrait"] > warmth["photo"] + 10.0
    assert np.mean([d.painted_twin.mean() for d in photos]) < np.mean(
        [d.photo.mean() for d in photos]
    )


def test_detector_finds_the_photos(photos: list[SamplePhoto], detector: MTCNN) -> None:
    """MTCNN finds at least 98 % of the photos with probability 0.9 or more."""
    assert _found_share(detector, [drawn.photo for drawn in photos]) >= 0.98


def test_detector_finds_the_paintings(
    photos: list[SamplePhoto], portraits: list[np.ndarray], detector: MTCNN
) -> None:
    """MTCNN finds at least 95 % of portraits and of painted twins with probability 0.9 or more."""
    assert _found_share(detector, portraits) >= 0.95
    assert _found_share(detector, [drawn.painted_twin for drawn in photos]) >= 0.95


def test_a_person_stays_the_same_in_another_moment() -> None:
    """Pose, light and clothes change the picture and leave the identity as it was."""
    rng = np.random.default_rng(3)
    person = draw_identity(rng)
    first = picture_person(person, draw_capture(rng), rng, 96)
    second = picture_person(person, draw_capture(rng), rng, 96)
    np.testing.assert_array_equal(first.identity, second.identity)
    assert not np.array_equal(first.photo, second.photo)
