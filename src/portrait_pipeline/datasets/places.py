"""Finds the files of the datasets in the catalog."""

from pathlib import Path

from kedro.io import AbstractVersionedDataset, DataCatalog


def location(catalog: DataCatalog, name: str, *, of_version: bool = True) -> Path | None:
    """Return the file that was last written for a dataset, or its folder; None in memory.

    Args:
        catalog: Where the dataset is.
        name: Its name.
        of_version: Of a versioned dataset, name the version's file, not the folder of all versions.
    """
    dataset = catalog.get(name)
    if of_version and isinstance(dataset, AbstractVersionedDataset):
        version = dataset.resolve_save_version()
        if version:
            return Path(str(dataset._get_versioned_path(version)))
    place = getattr(dataset, "_filepath", None) or getattr(dataset, "_folder", None)
    return None if place is None else Path(str(place))
