"""Portraits of many photos, in batches, with threads that read ahead and an outcome per file."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.file_names import distinct_stems
from portrait_pipeline.folders import ListedFile
from portrait_pipeline.parameters import PortrayingParameters
from portrait_pipeline.pictures import PictureError
from portrait_pipeline.portrayal.naming import PictureWriter
from portrait_pipeline.portrayal.outcomes import Outcome
from portrait_pipeline.portrayal.photo import Photo
from portrait_pipeline.portrayal.portrayer import (
    FacePortrayer,
    Portrayal,
    PortrayedFace,
)
from portrait_pipeline.portrayal.similarity import JudgeOfFaces
from portrait_pipeline.portrayal.sizing import pasted, portrait_at_size
from portrait_pipeline.portrayal.strips import comparison_strip
from portrait_pipeline.portrayal.targets import refuse_photos
from portrait_pipeline.portrayal.whole import paint_whole
from portrait_pipeline.progress import Bar, progress_bar

NUM_READERS = 2
MAX_PIXELS_AT_ONCE = 48_000_000


class PhotoBatch:
    """Portrays a list of files into one folder.

    Args:
        portrayer: The model or models.
        writer: Where portraits go.
        parameters: Which faces, and what to write for each.
        judge: Scores the similarity on comparison strips; needed only for these.
    """

    def __init__(
        self,
        portrayer: FacePortrayer,
        writer: PictureWriter,
        parameters: PortrayingParameters,
        judge: JudgeOfFaces | None = None,
    ) -> None:
        self._portrayer = portrayer
        self._writer = writer
        self._parameters = parameters
        self._judge = judge

    def run(self, files: Sequence[ListedFile]) -> list[Outcome]:
        """Portray all files; a failure does not stop the others.

        Args:
            files: The name of each file, and its path or why it is not opened.

        Raises:
            PortraitPipelineError: if a file exists and must not be overwritten, or is one of the
                photos; then nothing is written.
        """
        stems = distinct_stems([Path(name).name for name, _ in files])
        photos = [path for _, path in files if isinstance(path, Path)]
        names = self._writer.present(stems, self._kind)
        refuse_photos([self._writer.folder / name for name in names], photos)
        self._refuse_to_overwrite(stems)
        outcomes: list[Outcome] = []
        with progress_bar("portraits", len(files)) as bar:
            for batch in self._batches(files):
                first = len(outcomes)
                places = range(first, first + len(batch))
                named = [(files[place][0], stems[place]) for place in places]
                outcomes += self._portray(named, batch, bar)
        return outcomes

    def _refuse_to_overwrite(self, stems: list[str]) -> None:
        present = self._writer.would_overwrite(stems, self._kind)
        if present:
            more = f" and {len(present) - 3} more" if len(present) > 3 else ""
            raise PortraitPipelineError(
                f"{self._writer.folder} holds {', '.join(present[:3])}{more} already; choose"
                " another folder with --out, or replace them with --force"
            )

    @property
    def _kind(self) -> Literal["comparison", "painting", "photo", "portrait"]:
        """The kind of picture that is written; part of the file names."""
        if self._parameters.compare:
            return "comparison"
        if self._parameters.whole:
            return "painting"
        return "photo" if self._parameters.paste_back else "portrait"

    def _batches(self, files: Sequence[ListedFile]) -> Iterator[list[Photo | PictureError]]:
        """Yield what was read in order, a few pictures and not too many pixels at a time."""
        batch: list[Photo | PictureError] = []
        num_pixels = 0
        for photo in read_ahead(files, self._read):
            batch.append(photo)
            num_pixels += photo.num_pixels if isinstance(photo, Photo) else 0
            if len(batch) == self._parameters.batch_size or num_pixels > MAX_PIXELS_AT_ONCE:
                yield batch
                batch, num_pixels = [], 0
        if batch:
            yield batch

    def _read(self, file: ListedFile) -> Photo | PictureError:
        name, path = file
        if not isinstance(path, Path):
            return PictureError(name, path, "")
        try:
            return Photo.read(path, self._portrayer.detection_size_px)
        except PictureError as error:
            return error

    def _portray(
        self,
        names: Sequence[tuple[str, str]],
        batch: Sequence[Photo | PictureError],
        bar: Bar,
    ) -> list[Outcome]:
        photos = [photo for photo in batch if isinstance(photo, Photo)]
        portrayals = iter(self._portrayer.portray(photos, self._parameters.faces))
        outcomes = []
        for (name, stem), photo in zip(names, batch, strict=True):
            if isinstance(photo, PictureError):
                outcomes.append(Outcome(name, "not read", detail=photo.reason))
            else:
                outcomes.append(self._write(name, stem, photo, next(portrayals)))
            bar.advance()
        return outcomes

    def _write(self, name: str, stem: str, photo: Photo, portrayal: Portrayal) -> Outcome:
        if not portrayal.faces:
            return Outcome(name, "no face", detail=portrayal.fault or "")
        written, sizes = [], []
        try:
            for file_name, pixels in self._pictures(stem, photo, portrayal):
                written.append(self._writer.write(file_name, pixels).name)
                sizes.append(f"{pixels.shape[1]}×{pixels.shape[0]}")
        except PortraitPipelineError as error:
            return Outcome(name, "not written", detail=str(error))
        size = f"{' '.join(sizes)} px"
        return Outcome(name, "portrayed", len(portrayal.faces), " ".join(written), size)

    def _pictures(
        self, stem: str, photo: Photo, portrayal: Portrayal
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the name and the pixels of each file that belongs to one photo."""
        model = self._portrayer.models[-1].name
        if self._kind in ("photo", "painting"):
            whole = (
                pasted(photo.image, portrayal, model)
                if self._kind == "photo"
                else paint_whole(photo.image, portrayal, self._portrayer.models[-1])
            )
            yield f"{stem}_{self._kind}.png", np.asarray(whole)
            return
        size_px = self._parameters.size_px
        for ending, face in _numbered(portrayal.faces):
            pixels = (
                portrait_at_size(photo.image, face, model, size_px)
                if self._kind == "portrait"
                else self._strip(face)
            )
            yield f"{stem}_{self._kind}{ending}.png", pixels

    def _strip(self, face: PortrayedFace) -> np.ndarray:
        if self._judge is None:
            raise ValueError("comparison strips need a judge")
        notes = {}
        for name, portrait in face.portraits.items():
            notes[name] = self._judge.compare(face.photo, portrait).lines
        return comparison_strip(face.photo, face.portraits, notes)


def _numbered(faces: Sequence[PortrayedFace]) -> Iterator[tuple[str, PortrayedFace]]:
    for number, face in enumerate(faces, 1):
        yield "" if len(faces) == 1 else f"_{number}", face


def read_ahead(
    files: Iterable[ListedFile], read: Callable[[ListedFile], Photo | PictureError]
) -> Iterator[Photo | PictureError]:
    """Yield what `read` makes of each file, in order, while threads read the next few."""
    with ThreadPoolExecutor(NUM_READERS) as pool:
        waiting: deque[Future[Photo | PictureError]] = deque()
        for file in files:
            waiting.append(pool.submit(read, file))
            if len(waiting) > 2 * NUM_READERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
