"""What is checked before any work, and what a run tells its terminal and its report."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset, Version
from kedro.pipeline import node, pipeline
from kedro_datasets.pandas import CSVDataset

from portrait_pipeline.datasets.embeddings import EmbeddingStoreDataset
from portrait_pipeline.datasets.run_log import RunLogDataset
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.hooks import MAKERS, TALK_OF_A_RUN, InputChecks
from portrait_pipeline.pipeline_registry import register_pipelines
from portrait_pipeline.stages import RunLogHook, Terminal, command_of, shown_table

PIPELINES = register_pipelines()


def hand_on(value: pd.DataFrame) -> pd.DataFrame:
    """Do nothing."""
    return value


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "twin_faces"])
def test_the_pipeline_named_as_maker_makes_it(name: str) -> None:
    """What a person is told to run does make the missing dataset."""
    assert name in PIPELINES[MAKERS[name]].all_outputs()


@pytest.mark.parametrize("name", ["train_baseline", "tune", "train_proposed", "evaluate", "report"])
def test_every_result_of_another_pipeline_has_a_maker(name: str) -> None:
    """No pipeline of the project fails in the middle for want of what another one makes."""
    made = {output for each in PIPELINES.values() for output in each.all_outputs()}
    assert {needed for needed in PIPELINES[name].inputs() if needed in made} <= set(MAKERS)


def test_a_missing_input_is_one_sentence_before_any_work() -> None:
    """It names the dataset, and the command that makes it, with the environment in use."""
    with pytest.raises(PortraitPipelineError, match=r"kedro run --env=sample --pipeline=ingest"):
        InputChecks().before_pipeline_run(
            {"env": "sample"}, PIPELINES["train_proposed"], DataCatalog({})
        )


@pytest.mark.parametrize("name", ["ingest", "__default__"])
def test_several_processes_do_not_ingest(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would fetch and crop every picture; the sentence says what to run instead."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(PortraitPipelineError, match=r"2 processes.*--env=sample --pipeline=ingest"):
        InputChecks().before_pipeline_run({"env": "sample"}, PIPELINES[name], DataCatalog({}))


def test_stages_are_counted_and_what_is_handed_on_is_silent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for each node whose result is kept, one with where it lies, none for the others."""
    kept = CSVDataset(filepath=str(tmp_path / "kept.csv"), version=Version(None, "1"))
    catalog = DataCatalog({"start": MemoryDataset(1), "kept": kept})
    nodes = [
        node(hand_on, "start", "between", name="hand_on"),
        node(hand_on, "between", "kept", name="train_model", namespace="model"),
    ]
    terminal = Terminal()
    with caplog.at_level("INFO"):
        terminal.before_pipeline_run(pipeline(nodes), catalog)
        for each in nodes:
            terminal.before_node_run(each, catalog)
            terminal.after_node_run(catalog, dict.fromkeys(each.outputs))
    assert caplog.messages == ["[1/1] train model", f"        → {tmp_path}/kept.csv"]


def test_the_table_shows_few_columns_and_a_dash_for_what_is_missing() -> None:
    """A person sees model, λ_p and the telling numbers."""
    table = pd.DataFrame(
        {"model": ["a", "b"], "ssim": [0.5, None], "ssim_low": [0.4, None], "epochs": [1, 2]}
    )
    lines = [line.split() for line in shown_table(table).splitlines()]
    assert lines == [["model", "SSIM"], ["a", "0.500"], ["b", "–"]]
    marked = shown_table(table.assign(chosen=[False, True])).splitlines()
    assert [line.endswith("← chosen") for line in marked] == [False, False, True]


@pytest.mark.parametrize(
    ("params", "command"),
    [
        ({"pipeline_names": None, "env": None}, "kedro run"),
        (
            {
                "pipeline_names": ["tune"],
                "env": "sample",
                "runtime_params": {"resume": True, "training": {"num_epochs": 2}},
            },
            "kedro run --env=sample --pipeline=tune --params resume=true,training.num_epochs=2",
        ),
    ],
)
def test_a_run_can_be_typed_again(params: dict[str, Any], command: str) -> None:
    """The command on the page is the one that was typed."""
    assert command_of(params)[0] == command


def test_commands_and_times_are_kept_and_added_to(tmp_path: Path) -> None:
    """A later run adds its command and replaces the times of the nodes that it ran again."""
    log = RunLogDataset(filepath=str(tmp_path / "below" / "log.json"))
    log.save({"commands": {"tune": "kedro run --pipeline=tune"}, "durations": {"train_a": 1.0}})
    chronicle, catalog = RunLogHook(), DataCatalog({"run_log": log})
    chronicle.before_pipeline_run({"pipeline_names": ["evaluate"]})
    assert list(log.load()["commands"]) == ["tune"]
    again = node(hand_on, "a", "b", name="train_a", namespace="model")
    chronicle.before_node_run(again)
    chronicle.after_node_run(again, catalog)
    kept = log.load()
    assert list(kept["commands"]) == ["tune", "evaluate"]
    assert 0.0 <= kept["durations"]["train_a"] < 1.0


@pytest.fixture
def _talk_is_restored() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in TALK_OF_A_RUN]
    levels = [each.level for each in loggers]
    yield
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)


@pytest.mark.usefixtures("_talk_is_restored")
@pytest.mark.parametrize("rank", [0, 1])
def test_of_several_processes_the_first_alone_writes_and_talks(
    rank: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rank 1 keeps results in memory, reads the embeddings without writing, and only warns."""
    monkeypatch.setenv("RANK", str(rank))
    result, store = tmp_path / "result.csv", tmp_path / "embeddings.sqlite"
    catalog = DataCatalog(
        {
            "embedding_store": EmbeddingStoreDataset(filepath=str(store)),
            "result": CSVDataset(filepath=str(result)),
        }
    )
    InputChecks().before_pipeline_run(
        {}, pipeline([node(hand_on, "embedding_store", "result")]), catalog
    )
    catalog["result"].save(pd.DataFrame({"a": [1]}))
    catalog["embedding_store"].load().put("net", {"a": np.zeros((2, 4), np.float32)})
    assert [result.exists(), store.exists()] == [rank == 0, rank == 0]
    only_warns = [logging.getLogger(name).level == logging.WARNING for name in TALK_OF_A_RUN]
    assert only_warns == [rank == 1] * len(TALK_OF_A_RUN)
