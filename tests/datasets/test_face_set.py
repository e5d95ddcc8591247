"""A set of crops is saved whole or not at all, streamed, reused and mapped."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from kedro.io.core import DatasetError
from PIL import Image

from portrait_pipeline.datasets.face_set import FaceSetDataset, file_names
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.images import FaceSet


def crops(count: int, size: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (count, size, size, 3), dtype=np.uint8)


@dataclass
class Stream:
    """Crops made on demand, counting how many were made."""

    pixels: dict[str, np.ndarray]
    keys: tuple[str, ...]
    size_px: int = 8
    made: list[str] = field(default_factory=list)
    fail_at: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names."""
        return tuple(self.pixels)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The keys."""
        return self.keys

    def make(self, names: Sequence[str]) -> Iterator[np.ndarray]:
        """Make and count."""
        for name in names:
            if name == self.fail_at:
                raise OSError("the disk is full")
            self.made.append(name)
            yield self.pixels[name]


def stream(count: int, seed: int = 0) -> Stream:
    names = [f"face {index}.jpg" for index in range(count)]
    pixels = dict(zip(names, crops(count, seed=seed), strict=True))
    return Stream(pixels, tuple(f"{seed}-{name}" for name in names))


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """Names, order and every pixel come back, mapped and not read, as does each PNG."""
    pixels = crops(5)
    dataset = FaceSetDataset(path=str(tmp_path / "set"))
    dataset.save(FaceSet(("b", "a", "c/d.png", "é ü.jpg", "e"), pixels))
    loaded = dataset.load()
    assert loaded.names == ("b", "a", "c/d.png", "é ü.jpg", "e")
    assert isinstance(loaded.pixels, np.memmap)
    assert np.array_equal(loaded.pixels, pixels)
    files = json.loads((tmp_path / "set" / "index.json").read_text(encoding="utf-8"))["files"]
    for row, file in enumerate(files):
        assert np.array_equal(np.asarray(Image.open(tmp_path / "set" / file)), pixels[row])


def test_a_view_is_saved_in_its_own_order(tmp_path: Path) -> None:
    """A subset saves what it shows, not what it was cut from."""
    whole = FaceSet(("a", "b", "c"), crops(3))
    dataset = FaceSetDataset(path=str(tmp_path / "set"))
    dataset.save(whole.subset(["c", "a"]))
    assert np.array_equal(dataset.load().pixels, whole.pixels[[2, 0]])


def test_an_empty_set_is_a_set(tmp_path: Path) -> None:
    """No crops are saved and loaded as such, with their size."""
    dataset = FaceSetDataset(path=str(tmp_path / "set"))
    dataset.save(Stream({}, (), size_px=16))
    loaded = dataset.load()
    assert (len(loaded), loaded.pixels.shape, loaded.size_px) == (0, (0, 16, 16, 3), 16)


def test_a_missing_set_says_so(tmp_path: Path) -> None:
    """Loading what was never made names the folder and the command that makes it."""
    dataset = FaceSetDataset(path=str(tmp_path / "photo_faces"))
    assert not dataset.exists()
    with pytest.raises(
        DatasetError, match=r"photo_faces is not there: run .*--pipeline=ingest"
    ) as e:
        dataset.load()
    assert isinstance(e.value.__cause__, PortraitPipelineError)


def test_saving_again_makes_only_what_changed(tmp_path: Path) -> None:
    """Crops whose fingerprint is there are copied; new and changed ones are made; old ones go."""
    dataset = FaceSetDataset(path=str(tmp_path / "set"))
    dataset.save(stream(6))
    changed = stream(7)
    changed.keys = ("new key", *changed.keys[1:])
    del changed.pixels["face 3.jpg"]
    changed.keys = (*changed.keys[:3], *changed.keys[4:])
    dataset.save(changed)
    assert changed.made == ["face 0.jpg", "face 6.jpg"]
    loaded = dataset.load()
    assert loaded.names == changed.names
    assert np.array_equal(loaded.pixels, np.stack(list(changed.pixels.values())))
    assert not (tmp_path / "set" / "face_3.png").exists()


def test_a_crop_removed_by_hand_is_made_again(tmp_path: Path) -> None:
    """A PNG that is gone is not taken from anywhere else."""
    dataset = FaceSetDataset(path=str(tmp_path / "set"))
    dataset.save(stream(3))
    (tmp_path / "set" / "face_1.png").unlink()
    again = stream(3)
    dataset.save(again)
    assert again.made == ["face 1.jpg"]


def test_a_failed_save_leaves_the_old_set(tmp_path: Path) -> None:
    """Whatever goes wrong in the middle: the set is as it was and nothing half-written is in it."""
    dataset = FaceSetDataset(path=str(tmp_path / "set"))
    dataset.save(stream(4))
    before = dataset.load().pixels.copy()
    failing = stream(6, seed=1)
    failing.fail_at = "face 3.jpg"
    with pytest.raises(DatasetError, match="disk is full"):
        dataset.save(failing)
    assert np.array_equal(dataset.load().pixels, before)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".set.made", "set"]


@pytest.mark.parametrize("is_first_save", [True, False])
def test_an_interrupted_save_goes_on_where_it_was(tmp_path: Path, is_first_save: bool) -> None:
    """Saved again, only what was not yet made is made, and nothing of the interruption stays."""
    dataset = FaceSetDataset(path=str(tmp_path / "set"))
    if not is_first_save:
        dataset.save(stream(2, seed=1))
    for fail_at in ("face 3.jpg", "face 5.jpg"):
        failing = stream(8)
        failing.fail_at = fail_at
        with pytest.raises(DatasetError, match="disk is full"):
            dataset.save(failing)
    (tmp_path / ".set.made" / "half.part").write_bytes(b"killed while writing")
    again = stream(8)
    dataset.save(again)
    assert again.made == ["face 5.jpg", "face 6.jpg", "face 7.jpg"]
    assert np.array_equal(dataset.load().pixels, np.stack(list(again.pixels.values())))
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert len(list((tmp_path / "set").glob("*.png"))) == 8


def test_a_death_between_two_renames_is_repaired(tmp_path: Path) -> None:
    """If the old set was moved away and the new one did not arrive, the old one is put back."""
    dataset = FaceSetDataset(path=str(tmp_path / "set"))
    dataset.save(stream(2))
    (tmp_path / "set").rename(tmp_path / ".set.old")
    assert len(dataset.load()) == 2


def test_names_must_be_unique(tmp_path: Path) -> None:
    """Two crops of one name are refused before anything is written."""
    dataset = FaceSetDataset(path=str(tmp_path / "set"))
    with pytest.raises(DatasetError, match="not unique"):
        dataset.save(FaceSet(("a", "a"), crops(2)))
    assert not (tmp_path / "set").exists()


def test_file_names_are_safe_and_unique() -> None:
    """No separator, no device, no capital tells two files apart; long names are cut."""
    names = ["../up.jpg", "a/b.jpg", "a_b.png", "A_B", "...", "x" * 300, "x" * 301, "photo_1.jpg"]
    files = file_names(names)
    assert len({file.casefold() for file in files}) == len(names)
    assert all("/" not in file and not file.startswith(".") for file in files)
    assert max(map(len, files)) < 120
    assert files[-1] == "photo_1.png"


def test_a_hundred_thousand_crops_are_mapped(tmp_path: Path) -> None:
    """A set of 100,000 crops of 256 px (20 GB, sparse) opens, and gives a batch out of a view."""
    folder = tmp_path / "large"
    folder.mkdir()
    count, size = 100_000, 256
    names = [f"photo_{index:06}.jpg" for index in range(count)]
    (folder / "index.json").write_text(json.dumps({"names": names, "files": names}))
    with (folder / "faces.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + count * size * size * 3)
        file.seek(-1, 2)
        file.write(b"\x07")
    faces = FaceSetDataset(path=str(folder)).load()
    half = faces.subset(faces.names[1::2])
    assert half.pixels is faces.pixels
    batch = half[[0, 7, 49_999]]
    assert batch.shape == (3, size, size, 3)
    assert (batch[:2].max(), batch[2].max()) == (0, 7)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-10])


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("index.json", cut),
        ("index.json", lambda file: file.write_text("")),
        ("index.json", lambda file: file.write_text("[]")),
        ("index.json", lambda file: file.write_text('{"names": ' * 10**5)),
        ("index.json", lambda file: file.write_text('{"names": null}')),
        ("index.json", lambda file: file.write_text('{"names": ["only one"]}')),
        ("faces.npy", cut),
        ("faces.npy", lambda file: file.write_bytes(b"")),
        ("faces.npy", lambda file: file.unlink()),
        ("faces.npy", lambda file: file.write_bytes(b"\x93NUMPY\x01\0\x10\0{'descr':[[[[[[[")),
        ("faces.npy", lambda file: file.write_bytes(b"\x93NUMPY\x09\0" + bytes(200))),
        ("faces.npy", lambda file: np.save(file, np.zeros((4, 8, 8, 3)))),
        ("faces.npy", lambda file: np.save(file, np.zeros((4, 8), np.uint8))),
    ],
)
def test_a_damaged_set_is_named(tmp_path: Path, name: str, spoil: Callable[[Path], object]) -> None:
    """Half an index or half an array is told with what to do, not trained on."""
    dataset = FaceSetDataset(path=str(tmp_path / "photo_faces"))
    dataset.save(stream(4))
    spoil(tmp_path / "photo_faces" / name)
    with pytest.raises(DatasetError, match=r"photo_faces is damaged .* delete the folder"):
        dataset.load()


@pytest.mark.parametrize("content", ["", "{", "[]", "[1]", "null", '{"a": 1}', "[" * 10**5])
def test_crops_with_damaged_fingerprints_are_made_again(tmp_path: Path, content: str) -> None:
    """Fingerprints only save work."""
    dataset = FaceSetDataset(path=str(tmp_path / "set"))
    dataset.save(stream(3))
    (tmp_path / "set" / "fingerprints.json").write_text(content)
    again = stream(3)
    dataset.save(again)
    assert len(again.made) == 3


def test_a_torn_crop_is_made_again(tmp_path: Path) -> None:
    """A PNG that a power cut has torn is not copied."""
    dataset = FaceSetDataset(path=str(tmp_path / "set"))
    dataset.save(stream(3))
    cut(tmp_path / "set" / "face_1.png")
    again = stream(3)
    dataset.save(again)
    assert again.made == ["face 1.jpg"]
