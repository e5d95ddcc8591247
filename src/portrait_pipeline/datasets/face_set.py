"""Face crops as a dataset: PNGs for people, one packed array for machines."""

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from kedro.io import AbstractDataset
from PIL import Image

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.images import FaceSet

PACKED = "faces.npy"
INDEX = "index.json"
FINGERPRINTS = "fingerprints.json"
FILE_NAME_CHARACTERS = 100


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
        """What decides the pixels of each crop."""

    def make(self, names: Sequence[str]) -> Iterator[np.ndarray]:
        """Make the named crops in order, uint8 (size, size, 3)."""


class FaceSetDataset(AbstractDataset[FaceSet | FaceStream, FaceSet]):
    """A folder of crops: `<name>.png` to look at, and `faces.npy` with its index to train on.

    Saving streams: of a `FaceStream` one crop at a time is in memory, and crops whose fingerprint
    the folder already holds are copied instead of made. The folder appears whole or not at all;
    what was made before an interruption waits beside it, so that the next save goes on from there.
    Loading maps the packed file into memory, so that 100,000 crops are there at once.

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
            PortraitPipelineError: if the set has not been made yet.
        """
        self._restore()
        if not self._exists():
            raise PortraitPipelineError(
                f"the face set {self._folder} is not there: run the pipeline that makes it"
                " (`kedro run --pipeline=ingest` for the crops of the sources)"
            )
        names = tuple(json.loads((self._folder / INDEX).read_text(encoding="utf-8"))["names"])
        packed = self._folder / PACKED
        return FaceSet(names, np.load(packed, mmap_mode="r" if names else None))

    def save(self, data: FaceSet | FaceStream) -> None:
        """Write the set beside the old one, then put it in its place.

        Raises:
            PortraitPipelineError: if names are not unique.
        """
        if len(set(data.names)) != len(data.names):
            raise PortraitPipelineError(f"the names of the face set {self._folder} are not unique")
        self._restore()
        partial = self._beside("partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            self._write(partial, data)
            self._replace_with(partial)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(self._beside("made"), ignore_errors=True)

    def _write(self, folder: Path, data: FaceSet | FaceStream) -> None:
        fingerprints = () if isinstance(data, FaceSet) else data.fingerprints
        files = file_names(data.names)
        with (folder / PACKED).open("wb") as packed:
            shape = (len(data.names), data.size_px, data.size_px, 3)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(packed, header)
            for file, (pixels, png) in zip(files, self._crops(data), strict=True):
                packed.write(np.ascontiguousarray(pixels).tobytes())
                if png is None:
                    _write_png(folder / file, pixels)
                else:
                    _link(png, folder / file)
        _write_json(folder / FINGERPRINTS, dict(zip(fingerprints, files, strict=False)))
        _write_json(folder / INDEX, {"names": data.names, "files": files})

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
        """Write a fresh crop where the next save finds it if this one is interrupted."""
        folder = self._beside("made")
        folder.mkdir(exist_ok=True)
        file = folder / f"{fingerprint}.png"
        part = file.with_suffix(".part")
        _write_png(part, pixels)
        os.replace(part, file)
        return file

    def _known(self) -> dict[str, Path]:
        """Return the PNG of each fingerprint: in the folder, or left by an interrupted save."""
        known = {file.stem: file for file in self._beside("made").glob("*.png")}
        file = self._folder / FINGERPRINTS
        if file.is_file():
            files: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
            held = {key: self._folder / name for key, name in files.items()}
            known |= {key: path for key, path in held.items() if path.is_file()}
        return known

    def _replace_with(self, partial: Path) -> None:
        old = self._beside("old")
        shutil.rmtree(old, ignore_errors=True)
        if self._folder.exists():
            os.replace(self._folder, old)
        os.replace(partial, self._folder)
        shutil.rmtree(old, ignore_errors=True)

    def _restore(self) -> None:
        """Put the old set back if a process died between its removal and its replacement."""
        old = self._beside("old")
        if old.exists() and not self._folder.exists():
            os.replace(old, self._folder)

    def _beside(self, suffix: str) -> Path:
        return self._folder.with_name(f".{self._folder.name}.{suffix}")

    def _exists(self) -> bool:
        return (self._folder / INDEX).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}


def file_names(names: Sequence[str]) -> list[str]:
    """Return a PNG file name for each name: readable, safe on every system, and unique.

    The suffix goes and everything but letters, digits, `.`, `-` and `_` becomes `_`; a name that
    would meet another one (capitals do not count) gets eight digits of its hash.
    """
    taken: set[str] = set()
    files = []
    for name in names:
        stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", name)
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", stem).strip("._")[:FILE_NAME_CHARACTERS] or "face"
        if safe.casefold() in taken:
            safe = f"{safe}-{sha256(name.encode()).hexdigest()[:8]}"
        taken.add(safe.casefold())
        files.append(f"{safe}.png")
    return files


def _write_png(file: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(file, format="PNG", compress_level=1)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # file systems without hard links
        shutil.copyfile(source, target)


def _write_json(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
