"""Fetches the pictures of any source."""

from pathlib import Path

import pandas as pd

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.file_names import user_path
from portrait_pipeline.folders import check_folder
from portrait_pipeline.parameters import Domain, PictureSourceParameters, SampleParameters
from portrait_pipeline.sources.archive import fetch_archive
from portrait_pipeline.sources.drawn import draw_sample
from portrait_pipeline.sources.files import list_folder
from portrait_pipeline.sources.met import fetch_met


def fetch_pictures(
    source: PictureSourceParameters, sample: SampleParameters, domain: Domain, folder: Path
) -> pd.DataFrame:
    """Fetch or draw the pictures of one domain, and list them.

    Pictures of an earlier call are not fetched or drawn again.

    Args:
        source: Where the pictures come from.
        sample: What to draw; only the source `sample` reads it.
        domain: `photo` or `painting`.
        folder: Where fetched and drawn pictures are kept; a folder of the user's own is read in
            place.

    Returns:
        One row per file, sorted by name: `name` (unique: its path inside the source), `path`,
        `twin_path` (the painted twin of a drawn photo), `title`, `artist`, `date`, `licence`; NA
        where unknown. With `max_pictures` only the first ones (those of `met` in the museum's
        order of relevance).

    Raises:
        PortraitPipelineError: if the source is missing, empty, refused or damaged.
    """
    table = _fetch(source, sample, domain, folder, _hint(domain))
    return table.head(source.max_pictures or len(table))


def check_source(source: PictureSourceParameters, domain: Domain) -> None:
    """Look for the source's address, and at a folder, before anything is drawn or downloaded.

    Raises:
        PortraitPipelineError: if there is no address, or the folder is missing, unreadable or a
            file, or holds no file.
    """
    kaggle, archive = source.kaggle_dataset, source.archive
    addresses = {"folder": source.folder, "kaggle": kaggle, "archive": archive}
    if not addresses.get(source.source, "needs none"):
        raise _without_address(source, domain)
    if source.source == "folder" and source.folder is not None:
        check_folder(user_path(source.folder), _hint(domain))


def _without_address(source: PictureSourceParameters, domain: Domain) -> PortraitPipelineError:
    return PortraitPipelineError(
        f"{domain}s: the source {source.source!r} is unknown or lacks its address; use --params"
        " photos_folder=DIR,paintings_folder=DIR (see conf/base/parameters_ingestion.yml)"
    )


def _hint(domain: Domain) -> str:
    return f"give pictures of your own with --params {domain}s_folder=DIR"


def _fetch(
    source: PictureSourceParameters,
    sample: SampleParameters,
    domain: Domain,
    folder: Path,
    hint: str,
) -> pd.DataFrame:
    match source:
        case PictureSourceParameters(source="sample"):
            return draw_sample(sample, domain, folder / "sample")
        case PictureSourceParameters(source="folder", folder=str(given)):
            return list_folder(user_path(given), hint)
        case PictureSourceParameters(source="kaggle", kaggle_dataset=str(dataset)):
            # Imported here only: kagglehub takes a second and brings IPython with it.
            from portrait_pipeline.sources.kaggle import fetch_kaggle  # noqa: PLC0415

            return list_folder(fetch_kaggle(dataset, folder / "kaggle", hint), hint)
        case PictureSourceParameters(source="archive", archive=str(archive)):
            sha256 = source.archive_sha256
            return list_folder(fetch_archive(archive, sha256, folder / "archive", hint), hint)
        case PictureSourceParameters(source="met"):
            return fetch_met(source.met_query, source.max_pictures, folder / "met", hint)
        case _:
            raise _without_address(source, domain)
