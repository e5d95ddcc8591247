"""What is refused before any work starts, and which of several processes writes."""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.config import OmegaConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node, pipeline
from kedro_datasets.pandas import CSVDataset

from portrait_pipeline.datasets.embeddings import EmbeddingStoreDataset
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.hooks.environment import REGISTRY
from portrait_pipeline.hooks.input_checks import (
    INPUT_ONLY,
    LOGGERS_OF_A_RUN,
    RESERVED_ENDINGS,
    InputChecks,
    _check_device,
    find_maker,
)
from portrait_pipeline.hooks.store import register_resolvers
from portrait_pipeline.old_names import PARAMETERS
from portrait_pipeline.pipeline_registry import register_pipelines
from portrait_pipeline.settings import CONFIG_LOADER_ARGS

PIPELINES = register_pipelines()
ROOT = Path(__file__).resolve().parents[2]


def hand_on(value: pd.DataFrame) -> pd.DataFrame:
    """Do nothing."""
    return value


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    """Let Kedro know the pipelines of this project, as its command line does."""
    pipelines.configure(REGISTRY)
    yield
    pipelines.configure()


@pytest.mark.parametrize(
    ("dataset", "maker"),
    [
        ("photo_faces", "ingest"),
        ("ingestion_summary", "ingest"),
        ("baseline_checkpoint", "train_baseline"),
        ("proposed_history", "train_proposed"),
        ("lambda_table", "tune"),
        ("chosen_lambda", "tune"),
        ("share_table", "tune_share"),
        ("comparison", "evaluate"),
        ("proposed_scores", "evaluate"),
        ("detection_store", None),
    ],
)
def test_the_pipeline_named_as_maker_makes_it(dataset: str, maker: str | None) -> None:
    """The smallest pipeline that makes a dataset is named; none where it comes from outside."""
    assert find_maker(dataset, PIPELINES) == maker


@pytest.mark.parametrize("old", [name for name in PARAMETERS if "." not in name])
def test_an_old_name_in_a_file_of_the_configuration_is_refused(old: str, tmp_path: Path) -> None:
    """What conf/local says under an old name would not be read, so the new name is asked for."""
    for folder in ("base", "local"):
        (tmp_path / folder).mkdir()
    (tmp_path / "base/parameters.yml").write_text("paintings_folder: null\npaintings: {}\n")
    (tmp_path / "local/parameters.yml").write_text(f"{old}: {{}}\n")
    loader = OmegaConfigLoader(str(tmp_path), base_env="base", default_run_env="local")
    with pytest.raises(PortraitPipelineError, match=f"{old} in your configuration.*paintings"):
        InputChecks().after_context_created(
            cast(KedroContext, SimpleNamespace(config_loader=loader))
        )


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


@pytest.fixture
def _talk_is_restored() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in LOGGERS_OF_A_RUN]
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
    only_warns = [logging.getLogger(name).level == logging.WARNING for name in LOGGERS_OF_A_RUN]
    assert only_warns == [rank == 1] * len(LOGGERS_OF_A_RUN)


@pytest.fixture(scope="module")
def entries() -> dict[str, Any]:
    """The catalog's entries, patterns among them."""
    register_resolvers(ROOT)
    loader = OmegaConfigLoader(conf_source=str(ROOT / "conf"), **CONFIG_LOADER_ARGS)
    read: dict[str, Any] = loader["catalog"]
    return read


@pytest.mark.parametrize("name", ["dry_run", "first_training_state"])
def test_a_name_that_stands_for_a_tracker_is_refused(name: str, entries: dict[str, Any]) -> None:
    """A user's own dataset whose name matches a pattern of the catalog is not taken for one."""
    catalog = DataCatalog.from_config(entries)
    with pytest.raises(PortraitPipelineError, match=f"saves {name}, but names that end in"):
        InputChecks().before_pipeline_run({}, pipeline([node(hand_on, "given", name)]), catalog)


def test_every_ending_that_is_reserved_is_listed(entries: dict[str, Any]) -> None:
    """Law: the patterns of the catalog that nodes cannot save are those that are checked."""
    catalog = DataCatalog.from_config(entries)
    patterns = {name.removeprefix("{model}") for name in entries if name.startswith("{model}_")}
    input_only = {end for end in patterns if isinstance(catalog.get(f"any{end}"), INPUT_ONLY)}
    assert input_only == set(RESERVED_ENDINGS)


def test_a_runner_of_processes_is_refused_before_any_work() -> None:
    """The sentence names the runners that work."""
    told = "<kedro.runner.parallel_runner.ParallelRunner object at 0x1>"
    with pytest.raises(PortraitPipelineError, match="expected SequentialRunner or ThreadRunner"):
        InputChecks().before_pipeline_run({"runner": told}, PIPELINES["report"], DataCatalog({}))


@pytest.mark.parametrize("name", ["__default__", "train", "train_baseline", "tune"])
def test_without_a_gpu_a_long_training_is_refused_before_anything_is_fetched(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the sample; what trains nothing, or is allowed to, goes on."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    loader = OmegaConfigLoader(conf_source=str(ROOT / "conf"), **CONFIG_LOADER_ARGS)
    settings = loader["parameters"]
    small = {"image_size_px": 32, "num_generator_filters": 4, "num_residual_blocks": 1}
    training = {**settings["training"], **small, "num_discriminator_filters": 4}
    checked = Pipeline([each for each in PIPELINES[name].nodes if "train" in each.name])
    for allowed in (False, True):
        given = {**training, "allow_cpu": allowed, "accelerator": "cpu"}
        catalog = DataCatalog(
            {
                "params:training": MemoryDataset(given),
                "params:splits": MemoryDataset(settings["splits"]),
            }
        )
        if allowed:
            _check_device(checked, catalog)
        else:
            with pytest.raises(PortraitPipelineError, match=r"no GPU is seen.*--env=sample"):
                _check_device(checked, catalog)
            _check_device(PIPELINES["ingest"], catalog)


def test_an_environment_that_there_is_not_is_answered_with_the_one_that_was_meant() -> None:
    """`--env=sampel` is `sample`, misspelt."""
    loader = OmegaConfigLoader(conf_source=str(ROOT / "conf"), env="sampel", **CONFIG_LOADER_ARGS)
    with pytest.raises(PortraitPipelineError, match=r"--env=sampel .*did you mean sample\?"):
        InputChecks().after_context_created(
            cast(KedroContext, SimpleNamespace(config_loader=loader))
        )


@pytest.mark.parametrize("domain", ["photo", "painting"])
@pytest.mark.parametrize("folder", ["empty", "nowhere", "a_file"])
def test_folders_are_looked_at_before_anything_is_fetched(
    tmp_path: Path, domain: str, folder: str
) -> None:
    """A wrong folder of one domain ends the run before the pictures of the other are drawn."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "a_file").touch()
    given = {f"params:{name}s": {"source": "sample"} for name in ("photo", "painting")}
    given[f"params:{domain}s"] = {"source": "folder", "folder": str(tmp_path / folder)}
    catalog = DataCatalog({name: MemoryDataset(value) for name, value in given.items()})
    with pytest.raises(PortraitPipelineError, match=f"{folder} .*--params {domain}s_folder"):
        InputChecks().before_pipeline_run({}, PIPELINES["ingest"], catalog)
