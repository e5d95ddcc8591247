"""A set of crops is saved whole or not at all, streamed, reused and mapped."""

import base64
import inspect
import io
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
from portrait_pipeline.images import FaceSet, join_face_sets


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


def _shards(folder: Path, *sizes: int) -> list[FaceSetDataset]:
    """Save sets of so many crops, and return where they lie."""
    datasets = [FaceSetDataset(path=str(folder / "shards" / str(n))) for n in range(len(sizes))]
    for n, (dataset, size) in enumerate(zip(datasets, sizes, strict=True)):
        names = tuple(f"{n}-{index}" for index in range(size))
        dataset.save(FaceSet(names, crops(size, seed=n)))
    return datasets


@pytest.mark.parametrize("sizes", [(3, 4), (0, 2, 0, 5), (0, 0)])
def test_sets_are_joined_where_they_lie(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    """Law: names and pixels of all of them in their order, mapped, and no crop is written again."""
    root = tmp_path / "here"
    shards = _shards(root, *sizes)
    FaceSetDataset(path=str(root / "set")).save(join_face_sets(*(each.load() for each in shards)))
    assert [path.name for path in (root / "set").iterdir()] == ["index.json"]
    root.rename(tmp_path / "there")  # the index names the parts relative to itself
    loaded = FaceSetDataset(path=str(tmp_path / "there" / "set")).load()
    pixels = np.concatenate([crops(size, seed=n) for n, size in enumerate(sizes)])
    assert loaded.names == tuple(f"{n}-{i}" for n, size in enumerate(sizes) for i in range(size))
    assert (len(loaded), loaded.size_px) == (sum(sizes), 8)
    order = np.random.default_rng(0).permutation(len(loaded))
    assert np.array_equal(loaded[order], pixels[order])
    view = loaded.subset([loaded.names[row] for row in order])
    assert all(np.array_equal(view[place], pixels[row]) for place, row in enumerate(order))


def test_a_part_of_a_joined_set_is_saved_as_crops(tmp_path: Path) -> None:
    """Law: a view holds other crops than the folders do, so its own are written."""
    joined = join_face_sets(*(shard.load() for shard in _shards(tmp_path, 3, 4)))
    dataset = FaceSetDataset(path=str(tmp_path / "view"))
    dataset.save(joined.subset(["1-2", "0-1"]))
    assert np.array_equal(dataset.load().pixels, joined[[5, 1]])


@pytest.mark.parametrize("name", ["", "index.json", "faces.npy"])
def test_a_joined_set_without_one_of_its_parts_is_damaged(tmp_path: Path, name: str) -> None:
    """Law: it is told with what to do, and not read without these crops."""
    shards = _shards(tmp_path, 3, 4)
    joined = FaceSetDataset(path=str(tmp_path / "photo_faces"))
    joined.save(join_face_sets(*(shard.load() for shard in shards)))
    gone = tmp_path / "shards" / "1" / name
    gone.rename(tmp_path / "gone")
    with pytest.raises(DatasetError, match=r"photo_faces is damaged .*shards/1.* delete"):
        joined.load()


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


@pytest.mark.parametrize("count", [0, 1, 100])
def test_a_sheet_of_crops_is_previewed(tmp_path: Path, count: int) -> None:
    """Kedro-Viz draws some of the crops as one picture, whatever their number."""
    names = tuple(f"{index:03d}.png" for index in range(count))
    dataset = FaceSetDataset(path=str(tmp_path / "faces"))
    dataset.save(FaceSet(names=names, pixels=np.zeros((count, 8, 8, 3), np.uint8)))
    assert inspect.signature(dataset.preview).return_annotation.__name__ == "ImagePreview"
    with Image.open(io.BytesIO(base64.b64decode(dataset.preview()))) as sheet:
        assert sheet.width > 400
        assert sheet.height == 102 * {0: 1, 1: 1, 100: 4}[count]


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
