"""A dataset of face crops: PNGs to look at, and one packed array to train on."""

import io
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from kedro.io import AbstractDataset
from kedro_datasets._typing import ImagePreview
from PIL import Image

from portrait_pipeline.datasets.picture import preview_of
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.file_names import distinct_stems
from portrait_pipeline.files import (
    is_whole_png,
    parse_json,
    restore_folder,
    whole_folder,
    write_one_of_many,
)
from portrait_pipeline.images import FACE_INDEX, PACKED_FACES, FaceSet, read_face_set
from portrait_pipeline.report.pictures import draw_sheet, spread_evenly

FINGERPRINTS = "fingerprints.json"
MAX_PREVIEWED = 24


class FaceStream(Protocol):
    """Crops that are made one after the other while they are saved."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name per crop, unique."""

    @property
    def size_px(self) -> int:
        """Edge of every crop."""

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """A hash of everything that decides the pixels of each crop."""

    def make(self, names: Sequence[str]) -> Iterator[np.ndarray]:
        """Make the named crops in order, uint8 (size, size, 3)."""


class FaceSetDataset(AbstractDataset[FaceSet | FaceStream, FaceSet]):
    """A folder of crops: `<name>.png` to look at, and `faces.npy` with its index to train on.

    Saving streams: of a `FaceStream` one crop at a time is in memory, and crops whose fingerprint
    the folder already holds are copied instead of made. The folder appears whole or not at all;
    what was made before an interruption waits beside it, so that the next save goes on from there.
    Loading maps the packed file into memory, so that 100,000 crops are there at once. Of a set
    that was joined from others on the disk only their places are written, not a crop.

    Args:
        path: The folder where the set lies.
        metadata: Read by Kedro's plugins.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(path)
        self.metadata = metadata

    def load(self) -> FaceSet:
        """Return the set, its pixels memory-mapped and read-only.

        Raises:
            PortraitPipelineError: if the set has not been made yet, or is damaged.
        """
        restore_folder(self._folder)
        if not self._exists():
            raise PortraitPipelineError(
                f"the face set {self._folder} is not there: run the pipeline that makes it"
                " (`kedro run --pipeline=ingest` for the crops of the sources)"
            )
        try:
            return read_face_set(self._folder)
        except ValueError as error:
            raise PortraitPipelineError(
                f"the face set {self._folder} is damaged ({error}): delete the folder and run the"
                " pipeline that makes it again"
            ) from error

    def save(self, data: FaceSet | FaceStream) -> None:
        """Write the set beside the old one, then replace the old one.

        Raises:
            PortraitPipelineError: if names are not unique.
        """
        if len(set(data.names)) != len(data.names):
            raise PortraitPipelineError(f"the names of the face set {self._folder} are not unique")
        restore_folder(self._folder)
        with whole_folder(self._folder) as part:
            self._write(part, data)
        shutil.rmtree(self._beside("made"), ignore_errors=True)

    def preview(self) -> ImagePreview:
        """Return a sheet of some crops at even distances, which Kedro-Viz draws."""
        faces = self.load()
        shown = spread_evenly(sorted(faces.names), MAX_PREVIEWED)
        return preview_of(draw_sheet(faces.subset(shown)))

    def _write(self, folder: Path, data: FaceSet | FaceStream) -> None:
        if isinstance(data, FaceSet) and len(data.folders) > 1:
            parts = [os.path.relpath(part, self._folder) for part in data.folders]
            _write_json(folder / FACE_INDEX, {"parts": parts})
            return
        fingerprints = () if isinstance(data, FaceSet) else data.fingerprints
        files = file_names(data.names)
        with (folder / PACKED_FACES).open("wb") as packed:
            shape = (len(data.names), data.size_px, data.size_px, 3)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(packed, header)
            for file, (pixels, png) in zip(files, self._crops(data), strict=True):
                packed.write(np.ascontiguousarray(pixels).tobytes())
                if png is None:
                    (folder / file).write_bytes(_png(pixels))
                else:
                    _link(png, folder / file)
        _write_json(folder / FINGERPRINTS, dict(zip(fingerprints, files, strict=False)))
        _write_json(folder / FACE_INDEX, {"names": data.names, "files": files})

    def _crops(self, data: FaceSet | FaceStream) -> Iterator[tuple[np.ndarray, Path | None]]:
        """Yield the pixels of every crop and, where there is one, the PNG that holds them."""
        if isinstance(data, FaceSet):
            yield from ((data[row], None) for row in range(len(data)))
            return
        known = self._known()
        pairs = list(zip(data.names, data.fingerprints, strict=True))
        made = data.make([name for name, key in pairs if key not in known])
        for _, key in pairs:
            if key in known:
                with Image.open(known[key]) as image:
                    yield np.asarray(image.convert("RGB")), known[key]
            else:
                pixels = next(made)
                yield pixels, self._keep_made(key, pixels)

    def _keep_made(self, fingerprint: str, pixels: np.ndarray) -> Path:
        """Keep a new crop where the next save finds it if this one is interrupted."""
        file = self._beside("made") / f"{fingerprint}.png"
        write_one_of_many(file, _png(pixels))
        return file

    def _known(self) -> dict[str, Path]:
        """Return the PNG of each fingerprint: in the folder, or left by an interrupted save."""
        known = {file.stem: file for file in self._beside("made").glob("*.png")}
        try:
            files = parse_json((self._folder / FINGERPRINTS).read_bytes())
            known |= {str(key): self._folder / str(name) for key, name in dict(files).items()}
        except (OSError, ValueError, TypeError):
            pass  # not there, or damaged: the crops are made again
        return {key: path for key, path in known.items() if is_whole_png(path)}

    def _beside(self, suffix: str) -> Path:
        return self._folder.with_name(f".{self._folder.name}.{suffix}")

    def _exists(self) -> bool:
        return (self._folder / FACE_INDEX).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}


def file_names(names: Sequence[str]) -> list[str]:
    """Return a PNG file name for each name: readable, safe on every system, and unique.

    The folders of a name stay readable in it: `a/b.jpg` becomes `a_b.png`.
    """
    return [f"{stem}.png" for stem in distinct_stems([name.replace("/", "_") for name in names])]


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # file systems without hard links
        shutil.copyfile(source, target)


def _write_json(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
