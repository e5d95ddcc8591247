"""The embedded sample as files: drawn once, on all cores, and kept."""

import hashlib
import io
import json
import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from PIL import Image

from portrait_pipeline import sample as drawing
from portrait_pipeline.cores import available_cores
from portrait_pipeline.file_locks import share_lock_of_run
from portrait_pipeline.files import is_whole_png, write_one_of_many, write_whole
from portrait_pipeline.parameters import Domain, SampleParameters
from portrait_pipeline.progress import track
from portrait_pipeline.signals import STOPPING
from portrait_pipeline.sources.files import picture_table

NUM_PICTURES_WORTH_A_PROCESS = 12
NUM_PICTURES_PER_TASK = 4


def draw_sample(sample: SampleParameters, domain: Domain, folder: Path) -> pd.DataFrame:
    """Draw the sample's photos with their painted twins, or its paintings, as PNG files.

    Pictures of an earlier call with the same seed and size are kept. With another seed or size, or
    another version of the drawing code, all are drawn again.
    """
    _clear_if_drawn_otherwise(sample, folder)
    count = sample.num_photos if domain == "photo" else sample.num_paintings
    files = [_files(domain, index, folder) for index in range(count)]
    missing = [index for index in range(count) if not all(map(is_whole_png, files[index]))]
    draw = partial(_draw, domain=domain, sample=sample, folder=folder)
    _for_each(missing, draw, f"Drawing {domain}s")
    columns = ("path", "twin_path")
    return picture_table(
        {"name": paths[0].name} | dict(zip(columns, map(os.path.abspath, paths), strict=False))
        for paths in files
    )


def _files(domain: Domain, index: int, folder: Path) -> list[Path]:
    """Return the file names of a picture and, for a photo, of its twin."""
    name = f"{domain}_{index:05d}.png"
    folders = ("photos", "twins") if domain == "photo" else ("paintings",)
    return [folder / subfolder / name for subfolder in folders]


def _draw(index: int, domain: Domain, sample: SampleParameters, folder: Path) -> None:
    if domain == "photo":
        drawn = drawing.draw_photo(index, sample.seed, sample.picture_size_px)
        pictures = [drawn.photo, drawn.painted_twin]
    else:
        pictures = [drawing.draw_painting(index, sample.seed, sample.picture_size_px)]
    for path, pixels in zip(_files(domain, index, folder), pictures, strict=True):
        write_one_of_many(path, _png(pixels))


def _png(pixels: UInt8[np.ndarray, "height width 3"]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def _for_each(indices: list[int], draw: Callable[[int], None], description: str) -> None:
    """Draw in several processes, if there are enough pictures."""
    num_workers = min(available_cores(), len(indices) // NUM_PICTURES_WORTH_A_PROCESS)
    if num_workers < 2:
        for index in track(indices, description, len(indices)):
            draw(index)
        return
    # Spawned, not forked: a fork copies the locks of threads (bars, tracking) but not the threads.
    with ProcessPoolExecutor(
        num_workers,
        get_context("spawn"),
        initializer=_begin_worker,
    ) as pool:
        drawn = pool.map(draw, indices, chunksize=NUM_PICTURES_PER_TASK)
        for _ in track(drawn, description, len(indices)):
            pass


def _begin_worker() -> None:
    """Leave signals to the parent, which lets workers finish; hold the run's lock with it."""
    for number in STOPPING:  # a whole group of processes is sent them, by a terminal or `timeout`
        signal.signal(number, signal.SIG_IGN)
    share_lock_of_run()


def _clear_if_drawn_otherwise(sample: SampleParameters, folder: Path) -> None:
    """Remove pictures of another seed, size or drawing code, and record the present ones."""
    code = hashlib.sha256()
    for path in sorted(Path(drawing.__file__).parent.glob("*.py")):
        code.update(path.read_bytes())
    settings = {"seed": sample.seed, "size_px": sample.picture_size_px, "code": code.hexdigest()}
    note = json.dumps(settings).encode()
    manifest = folder / "drawn_with.json"
    if not (manifest.exists() and manifest.read_bytes() == note):
        shutil.rmtree(folder, ignore_errors=True)
        write_whole(manifest, note)
