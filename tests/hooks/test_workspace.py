"""A run holds its workspace from before its first node to after its last, and tidies it first."""

import logging
import os
from pathlib import Path

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.io.core import Version
from kedro.pipeline import Node, Pipeline

from portrait_pipeline.datasets.whole import WholeFileDataset
from portrait_pipeline.datasets.workspace_lock import WorkspaceLock, WorkspaceLockDataset
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.hooks.workspace import WorkspaceHook

PART = "." + "0f" * 16 + ".part"


def catalog_of(folder: Path) -> DataCatalog:
    json = {"type": "json.JSONDataset"}
    version = Version(None, "2026-01-02T00.00.00.000Z")
    return DataCatalog(
        {
            "workspace_lock": WorkspaceLockDataset(filepath=str(folder / "sample/.lock")),
            "plain": WholeFileDataset(filepath=str(folder / "p/plain.json"), dataset=json),
            "kept": WholeFileDataset(
                filepath=str(folder / "k/kept.json"), dataset=json, version=version
            ),
            "number": MemoryDataset(1),
        }
    )


PIPELINE = Pipeline(
    [
        Node(lambda number: number, "number", "plain", name="write"),
        Node(lambda number: number, "number", "kept", name="keep"),
    ]
)


@pytest.mark.parametrize("end", ["after_pipeline_run", "on_pipeline_error", "never"])
def test_the_workspace_is_held_until_the_run_ends(tmp_path: Path, end: str) -> None:
    """A second run is refused meanwhile; after each way to end, the next one starts."""
    hook, other = WorkspaceHook(), WorkspaceHook()
    hook.before_pipeline_run({}, PIPELINE, catalog_of(tmp_path))
    with pytest.raises(PortraitPipelineError, match="`kedro run`"):
        other.before_pipeline_run({}, PIPELINE, catalog_of(tmp_path))
    if end == "never":  # refused by a later hook: the same process starts anew
        hook.before_pipeline_run({}, PIPELINE, catalog_of(tmp_path))
        hook.after_pipeline_run()
    else:
        getattr(hook, end)()
    other.before_pipeline_run({}, PIPELINE, catalog_of(tmp_path))
    other.after_pipeline_run()


def test_other_ranks_share_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes of one training do not lock one another out, and the last one keeps others out.

    A rank shares the lock once the first one has taken it, and its end removes nothing.
    """
    first, rank, catalog = WorkspaceHook(), WorkspaceHook(), catalog_of(tmp_path)
    monkeypatch.setenv("RANK", "1")
    rank.before_pipeline_run({}, PIPELINE, catalog_of(tmp_path))
    rank.after_dataset_loaded()  # too early
    monkeypatch.setenv("RANK", "0")
    first.before_pipeline_run({}, PIPELINE, catalog)
    monkeypatch.setenv("RANK", "1")
    rank.after_dataset_loaded()
    held = catalog.load("workspace_lock")._held
    os.close(held[1])  # as when the first one is killed
    with pytest.raises(PortraitPipelineError, match="works in the workspace"):
        WorkspaceLock(tmp_path / "sample/.lock").acquire("next")
    rank.after_pipeline_run()
    assert (tmp_path / "sample/.lock").exists()
    following = WorkspaceLock(tmp_path / "sample/.lock")
    assert following.acquire("next")
    following.release()


def test_what_killed_runs_left_is_removed(tmp_path: Path) -> None:
    """Half-written files go, in the folders of versions too; everything else stays."""
    parts = [tmp_path / "p" / PART, tmp_path / "k/kept.json/2026-01-01" / PART]
    others = [tmp_path / "p/.a.zip.1234.part", tmp_path / "p/mine.csv"]
    for path in (*parts, *others):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    hook = WorkspaceHook()
    hook.before_pipeline_run({}, PIPELINE, catalog_of(tmp_path))
    hook.after_pipeline_run()
    assert [path.exists() for path in (*parts, *others)] == [False, False, True, True]


def test_a_disk_without_locks_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The run goes on, and the person knows."""
    monkeypatch.setattr(WorkspaceLock, "acquire", lambda *_: False)
    with caplog.at_level(logging.WARNING):
        WorkspaceHook().before_pipeline_run({}, PIPELINE, catalog_of(tmp_path))
    assert "no locks" in caplog.text
