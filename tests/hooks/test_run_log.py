"""What a run keeps for the report: commands and times."""

from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.pipeline import node

from portrait_pipeline.datasets.run_log import RunLogDataset
from portrait_pipeline.hooks.run_log import RunLogHook


def hand_on(value: pd.DataFrame) -> pd.DataFrame:
    """Do nothing."""
    return value


def test_commands_and_times_are_kept_and_added_to(tmp_path: Path) -> None:
    """A later run adds its command and replaces the times of the nodes that it ran again."""
    log = RunLogDataset(filepath=str(tmp_path / "below" / "log.json"))
    log.save(
        {"commands": {"tune": "kedro run --pipeline=tune"}, "durations": {"model.train_a": 1.0}}
    )
    hook, catalog = RunLogHook(), DataCatalog({"run_log": log})
    hook.before_pipeline_run({"pipeline_names": ["evaluate"]}, catalog)
    assert list(log.load()["commands"]) == ["tune"]
    again = node(hand_on, "a", "b", name="train_a", namespace="model")
    hook.before_node_run(again)
    assert list(log.load()["commands"]) == ["tune"], "nothing is kept before it is saved"
    hook.after_dataset_saved("b", again)
    kept = log.load()
    assert list(kept["commands"]) == ["tune", "evaluate"]
    assert 0.0 <= kept["durations"]["model.train_a"] < 1.0


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"",
            b"{",
            b"[1, 2]",
            b'{"commands": 3}',
            b"\xff\xfe",
            b"null",
            b"[" * 10**5,
            b"1" * 5000,
        ),
        b'{"commands": {"a": 5}, "durations": {}}',
        b'{"commands": {"a": "\\ud800"}, "durations": {}}',
        b'{"commands": {}, "durations": {"\\udfff": 1}}',
        b'{"commands": {}, "durations": {"a": "long"}}',
        b'{"commands": {}, "durations": {"a": NaN}}',
        b'{"commands": {}, "durations": {"a": null}}',
    ],
)
def test_a_damaged_log_is_begun_again(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It only tells what was done: one line says that it is damaged, and nothing stops."""
    (tmp_path / "log.json").write_bytes(content)
    log = RunLogDataset(filepath=str(tmp_path / "log.json"))
    assert log.load() == {"commands": {}, "durations": {}}
    assert "is damaged" in caplog.text
    log.save({"commands": {"tune": "kedro run --pipeline=tune"}})
    assert log.load()["commands"] == {"tune": "kedro run --pipeline=tune"}


def test_a_log_that_cannot_be_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for a run of many nodes, however the writing fails."""
    (tmp_path / "file").write_text("no folder")
    log = RunLogDataset(filepath=str(tmp_path / "file" / "log.json"))
    hook, catalog = RunLogHook(), DataCatalog({"run_log": log})
    hook.before_pipeline_run({}, catalog)
    for name in ("train_a", "train_b"):
        each = node(hand_on, "a", "b", name=name)
        hook.before_node_run(each)
        hook.after_dataset_saved("b", each)
    assert caplog.text.count("cannot be written") == 1
