"""Makes sure that the version that is loaded is the one that was saved last."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.io.core import Version
from kedro.pipeline import Pipeline

from portrait_pipeline.errors import PortraitPipelineError

FORMAT = "%Y-%m-%dT%H.%M.%S.%fZ"
MAX_LISTED = 5


def check_load_versions(given: Mapping[str, str] | None, catalog: DataCatalog) -> None:
    """Refuse a version that is not there.

    Raises:
        PortraitPipelineError: naming the versions that exist, the newest first.
    """
    for name, version in (given or {}).items():
        known = sorted(_versions(catalog, name), reverse=True)
        if version in known:
            continue
        listed = ", ".join(known[:MAX_LISTED]) or "none, since nothing was saved yet"
        more = f" and {len(known) - MAX_LISTED} older ones" if len(known) > MAX_LISTED else ""
        raise PortraitPipelineError(
            f"--load-versions={name}:{version} is not there, expected one of {listed}{more}"
        )


def save_as_newest(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Give what will be saved a version that sorts after all that are there.

    Kedro names versions by the clock and loads the one that sorts last. Where the clock was set
    back, or another machine's ran ahead, it would save one version and load another.
    """
    for name in pipeline.all_outputs():
        dataset = catalog.get(name)
        if not isinstance(dataset, AbstractVersionedDataset):
            continue
        newest = max(_versions(catalog, name), default="", key=_sort_key)
        version = dataset._version
        if version and newest and _sort_key(newest) >= _sort_key(version.save or ""):
            dataset._version = Version(version.load, _after(newest))


def _versions(catalog: DataCatalog, name: str) -> list[str]:
    dataset = catalog.get(name)
    if not isinstance(dataset, AbstractVersionedDataset) or dataset._version is None:
        return []
    return [str(version) for version in dataset.list_versions(full_path=False)]


def _sort_key(version: str) -> str:
    return f"{version}/"  # as Kedro does, which sorts paths


def _after(version: str) -> str:
    """Return the version that sorts next: a millisecond later, where it is a time."""
    try:
        later = datetime.strptime(version, FORMAT) + timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return f"{version}0"
    return f"{later:%Y-%m-%dT%H.%M.%S}.{later.microsecond // 1000:03d}Z"
