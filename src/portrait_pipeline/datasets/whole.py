"""Wraps any dataset of one file: it is saved completely or not at all, and checked on loading."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset, AbstractVersionedDataset, DatasetError
from kedro.io.core import Version

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import DamagedFileError, check_hash, hash_beside, write_hashed


class WholeFileDataset(AbstractVersionedDataset[Any, Any]):
    """Saves and loads through another dataset, which only ever sees whole files.

    What is saved is written beside, flushed to the disk and renamed, with its SHA-256 in a second
    file; a save that fails, for whatever reason, keeps the file that was there. A file that differs
    from its hash is not loaded. A file without a hash is loaded: older versions wrote none.

    Example:
        ```yaml
        splits:
          type: portrait_pipeline.datasets.whole.WholeFileDataset
          filepath: data/03_primary/splits.csv
          versioned: true
          dataset:
            type: pandas.CSVDataset
            save_args: {index: false}
        ```

    Args:
        filepath: The file, on this machine; a folder of versions when `versioned`.
        dataset: Type and arguments of the dataset that reads and writes the file, without its path.
        version: Set by Kedro when the catalog says `versioned: true`.
        metadata: Read by Kedro's plugins.
    """

    def __init__(
        self,
        *,
        filepath: str,
        dataset: dict[str, Any],
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        for key in ("filepath", "versioned", "metadata"):
            if key in dataset:
                raise PortraitPipelineError(
                    f"{filepath}: {key} stands inside dataset, expected beside it"
                )
        self._config = dataset
        self.metadata = metadata
        super().__init__(filepath=PurePosixPath(filepath), version=version)

    def save(self, data: Any) -> None:
        """Write the file, which takes its place when it is complete.

        Raises:
            PortraitPipelineError: if the disk refuses; what was there before is kept.
        """
        path = Path(self._get_save_path())
        try:
            write_hashed(path, lambda part: self._at(part).save(data))
        except (OSError, DatasetError) as error:
            cause = error.__cause__ if isinstance(error, DatasetError) else error
            if not isinstance(cause, OSError):
                raise
            raise PortraitPipelineError(
                f"could not write {path} ({cause.strerror or cause}): free space on that disk, or"
                " make its folder writable, and run the command again; what was there is kept"
            ) from error

    def load(self) -> Any:
        """Read the file, or the newest version, after comparing it with its hash.

        Raises:
            PortraitPipelineError: if the file is damaged or of another format.
        """
        path = Path(self._get_load_path())
        if not path.is_file():
            raise PortraitPipelineError(
                f"the file {path} is not there: run the pipeline that makes it"
            )
        try:
            check_hash(path)
        except DamagedFileError as error:
            raise PortraitPipelineError(
                f"{error}: run the pipeline that makes it again or, if you changed it yourself,"
                f" delete {hash_beside(path).name}"
            ) from error
        try:
            return self._at(path).load()
        except DatasetError as error:
            raise PortraitPipelineError(
                f"{path} cannot be read ({error.__cause__ or error}): delete it and run the"
                " pipeline that makes it again"
            ) from error

    @property
    def preview(self) -> Callable[..., Any]:
        """What Kedro-Viz shows: the other dataset's preview, with its annotations.

        Raises:
            AttributeError: if the other dataset has none.
        """
        method = type(self._at(Path(self._filepath))).preview  # type: ignore[attr-defined]

        @wraps(method)
        def preview(**arguments: Any) -> Any:
            return self._at(Path(self._get_load_path())).preview(**arguments)  # type: ignore[attr-defined]

        return preview

    def _at(self, path: Path) -> AbstractDataset[Any, Any]:
        """Return the other dataset for one file."""
        return AbstractDataset.from_config(path.name, {**self._config, "filepath": str(path)})

    def _exists(self) -> bool:
        try:
            return Path(self._get_load_path()).is_file()
        except DatasetError:  # no version yet
            return False

    def _describe(self) -> dict[str, Any]:
        kind = self._config["type"]
        return {"filepath": self._filepath, "dataset": kind, "version": self._version}
