"""What a run keeps for the report: commands and times."""

from pathlib import Path

import pandas as pd
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
    hook.before_pipeline_run({"pipeline_names": ["evaluate"]})
    assert list(log.load()["commands"]) == ["tune"]
    again = node(hand_on, "a", "b", name="train_a", namespace="model")
    hook.before_node_run(again)
    hook.after_node_run(again, catalog)
    kept = log.load()
    assert list(kept["commands"]) == ["tune", "evaluate"]
    assert 0.0 <= kept["durations"]["model.train_a"] < 1.0
