"""Checkpoints are written whole or not at all, and are not believed unchecked."""

from pathlib import Path

import pytest
import torch
from kedro.io.core import Version
from support.killed_save import killed_inside

from portrait_pipeline.cyclegan.checkpoint_files import (
    DamagedCheckpointError,
    FileCheckpointStore,
    read_checkpoint,
    write_checkpoint,
)
from portrait_pipeline.datasets.checkpoint import CheckpointDataset, CheckpointStoreDataset
from portrait_pipeline.errors import PortraitPipelineError


def state(step: int, size: int = 8) -> dict[str, object]:
    return {"step": step, "weights": torch.full((size,), float(step))}


def store(folder: Path, use_previous: bool = False) -> FileCheckpointStore:
    return FileCheckpointStore(folder, use_previous)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Reading gives the tensors that were written, bit for bit."""
    write_checkpoint(tmp_path / "new" / "a.pt", state(3))
    read = read_checkpoint(tmp_path / "new" / "a.pt")
    assert read["step"] == 3
    assert torch.equal(read["weights"], torch.full((8,), 3.0))


def test_no_part_of_a_file_stays_behind(tmp_path: Path) -> None:
    """Beside the checkpoint there is its hash and nothing else."""
    write_checkpoint(tmp_path / "a.pt", state(1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pt", "a.pt.sha256"]


def test_a_changed_checkpoint_is_named(tmp_path: Path) -> None:
    """One flipped byte is noticed."""
    path = tmp_path / "a.pt"
    write_checkpoint(path, state(1))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DamagedCheckpointError, match=r"a\.pt is damaged"):
        read_checkpoint(path)


def test_a_checkpoint_without_its_hash_is_not_believed(tmp_path: Path) -> None:
    """A file whose hash is lost is named."""
    write_checkpoint(tmp_path / "a.pt", state(1))
    (tmp_path / "a.pt.sha256").unlink()
    with pytest.raises(DamagedCheckpointError, match="nothing says that it is whole"):
        read_checkpoint(tmp_path / "a.pt")


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    """A pickled object with a matching hash is refused, not executed."""
    path = tmp_path / "a.pt"
    write_checkpoint(path, {"path": tmp_path})
    with pytest.raises(DamagedCheckpointError, match="no checkpoint of this project"):
        read_checkpoint(path)


def test_the_store_keeps_the_last_two(tmp_path: Path) -> None:
    """Older states are thrown away with their hashes; the newest is loaded."""
    kept = store(tmp_path)
    for step in (1, 2, 3):
        kept.save(state(step))
    assert {path.name for path in tmp_path.glob("*.pt")} == {
        "step-000000002.pt",
        "step-000000003.pt",
    }
    loaded = kept.load()
    assert loaded is not None
    assert loaded["step"] == 3


def test_the_state_before_a_torn_one_is_taken_only_when_asked(tmp_path: Path) -> None:
    """A torn newest state is named; the one before needs the user's word."""
    kept = store(tmp_path)
    kept.save(state(1))
    kept.save(state(2))
    newest = tmp_path / "step-000000002.pt"
    newest.write_bytes(newest.read_bytes()[:100])
    with pytest.raises(DamagedCheckpointError, match="resume_from=previous"):
        kept.load()
    loaded = store(tmp_path, use_previous=True).load()
    assert loaded is not None
    assert loaded["step"] == 1


def test_a_cleared_store_is_empty(tmp_path: Path) -> None:
    """A new training starts from nothing."""
    kept = store(tmp_path)
    kept.save(state(1))
    kept.clear()
    assert kept.load() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("killed_at", range(1, 7))
def test_a_process_killed_inside_a_save_leaves_whole_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    """At every step of a save what has its place is whole, and the next save clears the rest up."""
    kept = store(tmp_path)
    kept.save(state(1))
    with killed_inside(monkeypatch, killed_at):
        kept.save(state(2))
    loaded = kept.load()
    assert loaded is not None
    assert loaded["step"] == (2 if killed_at == 6 else 1)
    kept.save(state(3))
    assert list(tmp_path.glob(".*")) == []


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    """A save that does not fit says what to do, leaves no part, and keeps what was saved before."""
    kept = store(small_disk / "training")
    kept.save(state(1))
    with pytest.raises(PortraitPipelineError, match="free space"):
        kept.save(state(2, size=1_000_000))
    assert [path.name for path in (small_disk / "training").glob("*.part")] == []
    loaded = kept.load()
    assert loaded is not None
    assert loaded["step"] == 1


def test_the_dataset_keeps_versions(tmp_path: Path) -> None:
    """Each version has a folder of its own, and the newest is loaded."""
    path = str(tmp_path / "baseline.pt")
    for step, name in ((1, "2026-01-01T00.00.00.000Z"), (2, "2026-01-02T00.00.00.000Z")):
        CheckpointDataset(filepath=path, version=Version(None, name)).save(state(step))
    assert CheckpointDataset(filepath=path, version=Version(None, None)).load()["step"] == 2


def test_an_unknown_resume_point_is_refused(tmp_path: Path) -> None:
    """Only the newest state and the one before exist."""
    with pytest.raises(PortraitPipelineError, match="'oldest', expected newest or previous"):
        CheckpointStoreDataset(path=str(tmp_path), resume_from="oldest")
