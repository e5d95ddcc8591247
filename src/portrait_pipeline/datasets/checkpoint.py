"""Checkpoints on disk: written whole or not at all, and checked before they are believed."""

import pickle
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset, AbstractVersionedDataset
from kedro.io.core import Version, get_filepath_str

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import (
    DamagedFileError,
    check_hash,
    hash_beside,
    remove_unfinished,
    write_hashed,
)

State = dict[str, Any]

NUM_KEPT_STATES = 2


class DamagedCheckpointError(PortraitPipelineError):
    """A checkpoint that is torn, was changed after it was written, or has lost its hash."""


def write_checkpoint(path: Path, state: State) -> None:
    """Write a checkpoint and, beside it, its SHA-256; a reader never sees half of either.

    Args:
        path: The file to write; its folder is made.
        state: Tensors and plain Python only, so that it loads with `weights_only=True`.

    Raises:
        PortraitPipelineError: if the disk is full or cannot be written; nothing is left behind.
    """
    try:
        write_hashed(path, lambda part: _save(state, part))
    except (OSError, RuntimeError) as error:  # torch turns a full disk into a RuntimeError
        reason = error if isinstance(error, OSError) else error.__context__ or error
        raise PortraitPipelineError(
            f"could not write {path} ({getattr(reason, 'strerror', None) or reason}): free space"
            " on that disk, then go on with `--params resume=true`; what was saved before is kept"
        ) from error


def _save(state: State, path: Path) -> None:
    # imported here and below, so that an exported model can be looked for without PyTorch
    import torch  # noqa: PLC0415

    with path.open("wb") as file:  # torch closes a file that it opened itself too late
        torch.save(state, file)


def read_checkpoint(path: Path) -> State:
    """Read a checkpoint after checking its SHA-256; runs none of its content as code.

    Raises:
        DamagedCheckpointError: if the hash is missing or does not match, or the file is torn.
    """
    import torch  # noqa: PLC0415

    try:
        check_hash(path, required=True)
        state: State = torch.load(path, map_location="cpu", weights_only=True)
    except DamagedFileError as error:
        raise DamagedCheckpointError(str(error)) from error
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise DamagedCheckpointError(f"{path} is no checkpoint of this project: {error}") from error
    return state


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


class FileCheckpointStore:
    """The last states of a training that is under way, oldest thrown away first.

    Implements `cyclegan.services.CheckpointStore`.
    """

    def __init__(self, folder: Path, use_previous: bool) -> None:
        self._folder = folder
        self._use_previous = use_previous

    def _states(self) -> list[Path]:
        return sorted(self._folder.glob("step-*.pt"))

    def save(self, state: State) -> None:
        """Write the state of `state["step"]` and keep it and the one before."""
        remove_unfinished(self._folder)
        write_checkpoint(self._folder / f"step-{state['step']:09d}.pt", state)
        for old in self._states()[:-NUM_KEPT_STATES]:
            old.unlink()
            hash_beside(old).unlink(missing_ok=True)

    def load(self) -> State | None:
        """Return the newest state, or None where there is none.

        Raises:
            DamagedCheckpointError: if it is torn or was changed; the one before is only taken when
                the user allows it.
        """
        states = self._states()
        if not states:
            return None
        try:
            return read_checkpoint(states[-1])
        except DamagedCheckpointError as error:
            if len(states) == 1:
                raise
            if self._use_previous:
                return read_checkpoint(states[-2])
            raise DamagedCheckpointError(
                f"{error}; the state before it ({states[-2].name}) is whole: take it with"
                " `--params resume=true,resume_from=previous`"
            ) from error

    def clear(self) -> None:
        """Forget all states; a new training starts."""
        remove_unfinished(self._folder)
        for path in (*self._states(), *self._folder.glob("*.sha256")):
            path.unlink(missing_ok=True)


class CheckpointStoreDataset(AbstractDataset[None, FileCheckpointStore]):
    """Hands a training node the place where it keeps its state, so that the node knows no path."""

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
        self.metadata = metadata

    def load(self) -> FileCheckpointStore:
        """Return the store; its folder is made when it first saves."""
        return FileCheckpointStore(self._folder, self._use_previous)

    def save(self, data: None) -> None:
        """Refuse: nodes save through the store that they were handed."""
        raise TypeError("a checkpoint store is an input only")

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}
