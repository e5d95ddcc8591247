from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.stand_in_model import stand_in_model
from support.tiny_model import PREPARATION, tiny_checkpoint

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.crop import crop_face, crop_transform
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.parameters import FaceParameters
from portrait_pipeline.pictures import decode_reduced, read_picture
from portrait_pipeline.portrayal.photo import Photo
from portrait_pipeline.portrayal.portrayer import FacePortrayer, PortraitModel
from portrait_pipeline.portrayal.sizing import pasted
from portrait_pipeline.portrayal.torch_model import checkpoint_model
from portrait_pipeline.sample import draw_photo


def of_level(level: int, size: tuple[int, int] = (100, 80)) -> Photo:
    return Photo.of_image(Image.new("RGB", size, (level, level, level)))


def drawn(index: int) -> Photo:
    return Photo.of_image(Image.fromarray(draw_photo(index, 1, 160).photo))


def test_the_crop_is_that_of_the_training(shared_pictures: Path) -> None:
    """A file goes the way of the ingestion to the last pixel: reduce, detect, square, crop."""
    path = shared_pictures / "photos" / "photo_0002.jpg"
    preparation = FaceParameters(**PREPARATION)
    limit = preparation.detection_size_px
    (finding,) = FaceDetector(preparation).find([decode_reduced(path.read_bytes(), "p", limit)])
    assert finding.face is not None
    picture = read_picture(path)
    expected = crop_face(picture, crop_transform(finding.face, preparation, picture.size), 64)
    portrayer = FacePortrayer([checkpoint_model(tiny_checkpoint())])
    (portrayal,) = portrayer.portray([Photo.read(path, limit)])
    assert np.array_equal(portrayal.faces[0].photo, expected)


def test_a_checkpoint_paints_the_faces_of_a_batch() -> None:
    """Photos of several sizes in one batch: each gets its portrait, in order."""
    portrayer = FacePortrayer([checkpoint_model(tiny_checkpoint())])
    photos = [drawn(0), of_level(0), drawn(1)]
    portrayals = portrayer.portray(photos)
    assert [len(one.faces) for one in portrayals] == [1, 0, 1]
    assert portrayals[1].fault == "no face"
    alone = portrayer.portray([photos[2]])[0].faces[0]
    together = portrayals[2].faces[0]
    assert np.array_equal(alone.photo, together.photo)
    assert (
        np.abs(alone.portraits["proposed"].astype(int) - together.portraits["proposed"]).max() <= 1
    )


def test_the_largest_or_all() -> None:
    """Largest gives one face of a group, all gives every one, the largest first."""
    portrayer = FacePortrayer([stand_in_model()])
    assert len(portrayer.portray([of_level(230)])[0].faces) == 1
    largest, second = portrayer.portray([of_level(230)], "all")[0].faces
    assert largest.transform.edge_px > second.transform.edge_px


def test_every_model_paints_every_face() -> None:
    """Two models paint the same crop, each under its own name, in their order."""
    dark = PortraitModel(
        "dark", stand_in_model().preparation, stand_in_model().finder, np.zeros_like
    )
    (portrayal,) = FacePortrayer([dark, stand_in_model()], batch_size=1).portray([of_level(90)])
    portraits = portrayal.faces[0].portraits
    assert list(portraits) == ["dark", "proposed"]
    assert (portraits["dark"] == 0).all()
    assert (portraits["proposed"] == 165).all()


def test_pasting_back_leaves_the_rest_alone() -> None:
    """The photo keeps its size; the portrait shows in the middle of the face only."""
    photo = of_level(230, (300, 200))
    (portrayal,) = FacePortrayer([stand_in_model()]).portray([photo], "all")
    whole = np.asarray(pasted(photo.image, portrayal, "proposed"))
    assert whole.shape == (200, 300, 3)
    assert (whole[100, 150] == 25).all()
    assert (whole[-1] == 230).all()
    assert (np.asarray(photo.image) == 230).all()


def test_models_of_different_preparation_are_refused() -> None:
    """Two models that saw differently cropped faces cannot share one crop."""
    model = stand_in_model("baseline")
    preparation = model.preparation.model_copy(update={"margin": 0.5})
    other = PortraitModel("proposed", preparation, model.finder, model.painter)
    with pytest.raises(PortraitPipelineError, match=r"margin 0\.35 and 0\.5"):
        FacePortrayer([model, other])


def test_no_model_is_refused() -> None:
    """A portrayer has at least one model."""
    with pytest.raises(PortraitPipelineError, match="no model"):
        FacePortrayer([])


@pytest.mark.parametrize(
    ("teacher", "judge", "refused"),
    [
        ("dlib", "dlib", True),
        ("facenet-casia-webface", "facenet", True),
        ("dlib", "geometry", False),
        (None, "dlib", False),
    ],
)
def test_the_teacher_never_judges(teacher: str | None, judge: str, refused: bool) -> None:
    """A network, or one of its family, does not judge what it taught; a baseline had no teacher."""
    portrayer = FacePortrayer([stand_in_model(teacher=teacher)])
    if refused:
        with pytest.raises(PortraitPipelineError, match="taught"):
            portrayer.refuse_teacher(judge)
    else:
        portrayer.refuse_teacher(judge)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"preparation": {}}, "does not say how its faces were prepared"),
        ({"preparation": {**PREPARATION, "crop_size_px": 32}}, "64 px on crops of 32 px"),
        ({"averaged_generators": {}}, "no usable averaged_generators"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_says_why(change: dict[str, object], words: str) -> None:
    """A checkpoint of another kind is one sentence, not a KeyError."""
    with pytest.raises(PortraitPipelineError, match=words):
        checkpoint_model({**tiny_checkpoint(), **change})


def test_who_taught_is_read_from_the_checkpoint() -> None:
    """A baseline has no teacher, a model with a perceptual term has one."""
    assert checkpoint_model(tiny_checkpoint()).teacher is None
    assert checkpoint_model(tiny_checkpoint(lambda_perceptual=1.0)).teacher == "dlib"
