from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.stand_in_model import stand_in_judge, stand_in_model
from support.tiny_model import tiny_checkpoint, tiny_export

from portrait_pipeline.decoding.colour import srgb_profile
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import PortrayingParameters
from portrait_pipeline.portrayal.batch import PhotoBatch
from portrait_pipeline.portrayal.exported import exported_model
from portrait_pipeline.portrayal.naming import PictureWriter
from portrait_pipeline.portrayal.portrayer import FacePortrayer
from portrait_pipeline.portrayal.torch_model import checkpoint_model
from portrait_pipeline.sample import draw_photo

PLAIN = PortrayingParameters(faces="largest", paste_back=False, batch_size=3)


def picture(path: Path, level: int, size: tuple[int, int] = (120, 90), **save: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).save(path, **save)
    return path


def run(
    files: list[Path], out: Path, settings: PortrayingParameters = PLAIN, force: bool = False
) -> list[tuple[str, str]]:
    models = [stand_in_model("baseline"), stand_in_model("proposed")]
    portrayer = FacePortrayer(models if settings.compare else models[1:])
    batch = PhotoBatch(portrayer, PictureWriter(out, force), settings, stand_in_judge())
    return [(row.result, row.files) for row in batch.run([(path.name, path) for path in files])]


def test_every_file_is_accounted_for_in_order(tmp_path: Path) -> None:
    """One outcome per file, in the order given, whatever became of it; the others go on."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    files = [
        picture(tmp_path / "a.png", 100),
        broken,
        picture(tmp_path / "dark.png", 0),
        *(picture(tmp_path / f"{n}.jpg", 100) for n in range(5)),
        tmp_path / "missing.png",
    ]
    outcomes = run(files, tmp_path / "out")
    assert [result for result, _ in outcomes] == [
        "portrayed", "not read", "no face", *["portrayed"] * 5, "not read",
    ]  # fmt: skip
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == sorted(name for _, name in outcomes if name)


def test_what_may_not_be_opened_is_a_row(tmp_path: Path) -> None:
    """A link out of the folder has its line, with the reason, among the others."""
    photo = picture(tmp_path / "a.png", 100)
    batch = PhotoBatch(
        FacePortrayer([stand_in_model("proposed")]), PictureWriter(tmp_path / "o"), PLAIN
    )
    rows = batch.run([("l.png", "link out of the folder"), ("a.png", photo)])
    assert [(row.result, row.detail) for row in rows] == [
        ("not read", "link out of the folder"),
        ("portrayed", "49×49 px"),
    ]


def test_names_of_any_script_are_written(tmp_path: Path) -> None:
    """A stem of 38 Chinese characters takes 114 bytes, and gets its portrait."""
    ((result, name),) = run([picture(tmp_path / ("中" * 38 + ".png"), 100)], tmp_path / "out")
    assert result == "portrayed"
    assert name.startswith("中" * 30)


def test_same_names_from_two_folders_do_not_meet(tmp_path: Path) -> None:
    """Two photos of one name give two portraits."""
    files = [picture(tmp_path / "x/a.png", 60), picture(tmp_path / "y/a.png", 120)]
    names = [name for _, name in run(files, tmp_path / "out")]
    assert names == ["a_portrait.png", "a_2_portrait.png"]
    levels = [np.asarray(Image.open(tmp_path / "out" / name)).mean() for name in names]
    assert levels == [195, 135]


def test_all_faces_are_numbered(tmp_path: Path) -> None:
    """With faces: all every face gives a file of its own."""
    settings = PortrayingParameters(faces="all", paste_back=False, batch_size=2)
    ((result, files),) = run([picture(tmp_path / "two.png", 230)], tmp_path / "out", settings)
    assert (result, files) == ("portrayed", "two_portrait_1.png two_portrait_2.png")


def test_pasting_back_gives_the_photo_its_size(tmp_path: Path) -> None:
    """The whole photo comes back in its own size, changed around the face alone."""
    settings = PortrayingParameters(faces="largest", paste_back=True, batch_size=2)
    run([picture(tmp_path / "a.png", 100, (200, 120))], tmp_path / "out", settings)
    pixels = np.asarray(Image.open(tmp_path / "out/a_photo.png"))
    assert pixels.shape == (120, 200, 3)
    assert (pixels[:, :20] == 100).all()
    assert (pixels[60, 100] == 155).all()


def test_a_pasted_photo_says_that_it_is_srgb(tmp_path: Path) -> None:
    """What is written says that it is sRGB, and pixels of sRGB stay as they are."""
    settings = PortrayingParameters(faces="largest", paste_back=True, batch_size=1)
    run([picture(tmp_path / "a.png", 100, icc_profile=srgb_profile())], tmp_path / "out", settings)
    written = Image.open(tmp_path / "out/a_photo.png")
    assert written.info["icc_profile"] == srgb_profile()
    assert np.asarray(written)[0, 0].tolist() == [100, 100, 100]


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_small_and_thin_pictures_are_rows_in_both_runtimes(tmp_path: Path, runtime: str) -> None:
    """A dot, a line and a tiny picture are too small, and the photo beside them is portrayed."""
    sizes = {"dot.gif": (1, 1), "line.png": (2000, 3), "icon.bmp": (20, 20)}
    files = [picture(tmp_path / name, 100, size) for name, size in sizes.items()]
    person = tmp_path / "person.png"
    Image.fromarray(draw_photo(0, 0, 160).photo).save(person)
    opened = {
        "torch": lambda: checkpoint_model(tiny_checkpoint()),
        "onnx": lambda: exported_model(tiny_export()),
    }
    batch = PhotoBatch(FacePortrayer([opened[runtime]()]), PictureWriter(tmp_path / "out"), PLAIN)
    outcomes = batch.run([(path.name, path) for path in [*files, person]])
    assert [row.detail for row in outcomes[:-1]] == ["too small"] * len(files)
    assert [row.result for row in outcomes] == [*["no face"] * len(files), "portrayed"]


def test_strips_hold_photo_and_both_portraits(tmp_path: Path) -> None:
    """Compare writes a strip of three tiles with captions in place of the portrait."""
    settings = PortrayingParameters(faces="largest", paste_back=False, compare=True, batch_size=2)
    ((_, name),) = run([picture(tmp_path / "a.png", 100)], tmp_path / "out", settings)
    assert name == "a_comparison.png"
    strip = np.asarray(Image.open(tmp_path / "out" / name))
    middle = strip[strip.shape[0] // 2]
    assert {tuple(pixel) for pixel in middle} == {(255,) * 3, (100,) * 3, (155,) * 3}


def test_nothing_is_written_when_something_is_in_the_way(tmp_path: Path) -> None:
    """A file in the way is named before any work; no portrait is written beside it."""
    files = [picture(tmp_path / "a.png", 100), picture(tmp_path / "b.png", 100)]
    run(files[1:], tmp_path / "out")
    with pytest.raises(PortraitPipelineError, match=r"b_portrait\.png already"):
        run(files, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b_portrait.png"]
    assert len(run(files, tmp_path / "out", force=True)) == 2


@pytest.mark.parametrize("force", [True, False])
def test_no_photo_is_replaced(tmp_path: Path, force: bool) -> None:
    """Not even by force: the portrait of one would lie in the place of the other."""
    files = [picture(tmp_path / name, 100) for name in ("a.png", "a_portrait.png")]
    before = files[1].read_bytes()
    with pytest.raises(PortraitPipelineError, match=r"a_portrait\.png is one of the photos"):
        run(files, tmp_path, force=force)
    assert files[1].read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_what_is_written_holds_no_exif(tmp_path: Path) -> None:
    """Camera, place and time of the photo do not travel with the portrait or the pasted photo."""
    exif = Image.Exif()
    exif[0x010F] = "SECRET CAMERA"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 30.0)
    photo = picture(tmp_path / "a.jpg", 100, exif=exif, comment=b"SECRET COMMENT")
    assert b"SECRET" in photo.read_bytes()
    for paste_back in (False, True):
        settings = PortrayingParameters(faces="largest", paste_back=paste_back, batch_size=1)
        ((_, name),) = run([photo], tmp_path / "out", settings)
        data = (tmp_path / "out" / name).read_bytes()
        assert b"SECRET" not in data
        assert not Image.open(tmp_path / "out" / name).getexif()


def test_every_awkward_file_gets_a_word(tmp_path: Path, shared_pictures: Path) -> None:
    """Whatever real folders hold, each file ends in one of four words and none stops the run."""
    files = sorted((shared_pictures / "awkward").iterdir())
    outcomes = run(files, tmp_path / "out")
    results = {path.name: result for path, (result, _) in zip(files, outcomes, strict=True)}
    assert results["zero_bytes.jpg"] == results["text_not_image.jpg"] == "not read"
    assert results["face_exif_orientation6.jpg"] == "portrayed"
