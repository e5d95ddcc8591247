"""Datasets for trained models and for the states of a training that is running."""

from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset, AbstractVersionedDataset
from kedro.io.core import Version, get_filepath_str

from portrait_pipeline.cyclegan.checkpoint_files import (
    FileCheckpointStore,
    read_checkpoint,
    write_checkpoint,
)
from portrait_pipeline.errors import PortraitPipelineError

State = dict[str, Any]


class CheckpointDataset(AbstractVersionedDataset[State, State]):
    """A trained model in the catalog: `torch.save` with a SHA-256, loaded with `weights_only`.

    Example:
        ```yaml
        baseline_checkpoint:
          type: portrait_pipeline.datasets.checkpoint.CheckpointDataset
          filepath: data/06_models/baseline.pt
          versioned: true
        ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.metadata = metadata
        super().__init__(filepath=PurePosixPath(filepath), version=version)

    def load(self) -> State:
        """Read the newest version, or the one asked for."""
        return read_checkpoint(Path(get_filepath_str(self._get_load_path(), "file")))

    def save(self, data: State) -> None:
        """Write a new version."""
        write_checkpoint(Path(get_filepath_str(self._get_save_path(), "file")), data)

    def _exists(self) -> bool:
        return Path(get_filepath_str(self._get_load_path(), "file")).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}


class CheckpointStoreDataset(AbstractDataset[None, FileCheckpointStore]):
    """Hands a training node the place where it keeps its state, so that the node knows no path.

    Where a training may move to another host while the command runs, `run_id` is set to that of the
    run: the training then goes on with what this run has saved, and with nothing older.
    """

    def __init__(
        self,
        *,
        path: str,
        resume_from: str = "newest",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if resume_from not in ("newest", "previous"):
            raise PortraitPipelineError(
                f"resume_from is {resume_from!r}, expected newest or previous"
            )
        self._folder = Path(path)
        self._use_previous = resume_from == "previous"
        self.run_id: str | None = None
        self.metadata = metadata

    def load(self) -> FileCheckpointStore:
        """Return the store; its folder is made when it first saves."""
        return FileCheckpointStore(self._folder, self._use_previous, self.run_id)

    def save(self, data: None) -> None:
        """Refuse to save: nodes save through the store that they get as an input."""
        raise TypeError("a checkpoint store is an input only")

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}
