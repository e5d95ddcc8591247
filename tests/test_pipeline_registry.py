"""Which pipelines there are follows from the configuration of the environment in use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline
from support.environments import CONF, ENVIRONMENTS

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.hooks.environment import ProjectConfigLoader
from portrait_pipeline.pipeline_registry import (
    _pairs,
    make_pipelines,
    read_experiment,
    register_pipelines,
    trained_models,
)
from portrait_pipeline.report.results_page import TABLES, TUNING_TABLES
from portrait_pipeline.settings import CONFIG_LOADER_ARGS, CONFIG_LOADER_CLASS

THREE_SEEDS = {"training": {"lambda_perceptual": 0.5, "upsampling": "resize"}, "seeds": [4, 1, 2]}


def config(env: str, **given: Any) -> OmegaConfigLoader:
    return OmegaConfigLoader(
        conf_source=str(CONF), env=env, runtime_params=given, **CONFIG_LOADER_ARGS
    )


def open_session(env: str, **given: Any) -> ProjectConfigLoader:
    """Read the configuration as every session does, with hooks or, as Kedro-Viz, without."""
    return CONFIG_LOADER_CLASS(str(CONF), env=env, runtime_params=given, **CONFIG_LOADER_ARGS)


def made(**changes: Any) -> dict[str, Pipeline]:
    """Make the pipelines of base with changed parameters."""
    return make_pipelines(read_experiment({**config("base")["parameters"], **changes}))


def with_model(**entries: Any) -> dict[str, Any]:
    return {**config("base")["parameters"]["models"], **entries}


@pytest.fixture
def _no_context() -> Iterator[None]:
    before, ProjectConfigLoader.latest = ProjectConfigLoader.latest, None
    yield
    ProjectConfigLoader.latest = before
    pipelines.configure()


def test_a_model_of_the_configuration_is_trained_once_per_seed_and_judged() -> None:
    """The first seed carries the model's name; table, page and exports know all or the first."""
    found = made(models=with_model(light=THREE_SEEDS))
    names = ("light", "light_seed_1", "light_seed_2")
    for name in ("train_light", "train"):
        assert {f"{each}_checkpoint" for each in names} <= found[name].outputs()
    assert "baseline_checkpoint" not in found["train_light"].all_outputs()
    assert {f"{each}_checkpoint" for each in names} <= found["evaluate"].inputs()
    assert {f"{each}_history" for each in names} <= found["report"].inputs()
    assert "light_onnx" in found["export"].all_outputs()
    for name in names:
        assert f"{name}.train_model" in {node.name for node in found["__default__"].nodes}
    judging = {node.name.split(".")[-1]: set(node.inputs) for node in found["evaluate"].nodes}
    assert {f"{each}_summary" for each in names} <= judging["tabulate_comparison"]
    assert {f"{each}_scores" for each in names} <= judging["compare_models"]


def test_each_training_is_compared_with_the_named_model_of_its_seed() -> None:
    """Where that model was not trained with the seed, with its first training."""
    models = {
        "baseline": {"seeds": [4, 1]},
        "proposed": {"seeds": [0, 1, 4]},
        "light": {"training": {"lambda_perceptual": 0}},
    }

    def pairs(compare_with: str) -> dict[str, str]:
        given = {**config("base")["parameters"], "models": models, "compare_with": compare_with}
        experiment = read_experiment(given)
        trained = {name: trained_models(name, one) for name, one in experiment.models.items()}
        return _pairs(experiment, trained)

    assert pairs("baseline") == {
        "proposed": "baseline",
        "proposed_seed_1": "baseline_seed_1",
        "proposed_seed_4": "baseline",
        "light": "baseline",
    }
    assert pairs("light") == dict.fromkeys(
        ("baseline", "baseline_seed_1", "proposed", "proposed_seed_1", "proposed_seed_4"), "light"
    )


@pytest.mark.usefixtures("_no_context")
@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ("study", "docs/results"),
        ("study_long", "docs/results_long"),
        ("ablation", "docs/ablation"),
    ],
)
def test_a_study_publishes_its_tables_and_the_page_made_of_them(env: str, folder: str) -> None:
    """The page reads the published files alone, says where they lie, and trains nothing twice."""
    read = open_session(env)
    catalog, settings = read["catalog"], read["parameters"]
    publication = settings["publication"]
    stages = settings["stages"]
    assert stages[-1] == "publish"
    assert settings["training"]["reuse"] is True
    assert catalog["published_{table}"]["filepath"] == f"{folder}/{{table}}.csv"
    assert catalog["results_page"]["filepath"] == f"{folder}.md"
    assert publication["folder"] == folder
    assert f"--env={env} " in publication["command"]
    publish = register_pipelines()["publish"]
    made_of = {out: set(node.inputs) for node in publish.nodes for out in node.outputs}
    tables = {*TABLES, *(table for stage, table in TUNING_TABLES.items() if stage in stages)}
    published = {f"published_{table}" for table in tables}
    assert made_of["results_page"] == {"params:publication", *published}
    assert all(made_of[name] == tables for name in published)


@pytest.mark.usefixtures("_no_context")
@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_kedro_run_needs_nothing_that_another_pipeline_makes(env: str) -> None:
    """Law: in every environment the stages make all that they take, in the first run too."""
    open_session(env)
    found = register_pipelines()
    elsewhere = {name for pipeline in found.values() for name in pipeline.outputs()}
    assert not found["__default__"].inputs() & elsewhere


def test_a_page_without_tuning_shows_none() -> None:
    """Where no stage tunes λ_p, the report takes neither its table nor its choice."""
    stages = ("ingest", "train", "evaluate", "report")
    tuned = {"lambda_table", "chosen_lambda"}
    assert tuned <= made()["report"].inputs()
    assert not tuned & made(stages=stages)["report"].inputs()


def test_a_model_with_another_teacher_embeds_with_that_teacher() -> None:
    """Law: embeddings of the teacher of `training` never train a model that names another."""
    own = {"training": {"lambda_perceptual": 1.0, "teacher": "facenet"}}
    train = {node.name: node for node in made(models=with_model(own=own))["train"].nodes}
    assert "taught_data" in train["proposed.train_model"].inputs
    assert "taught_data" not in train["own.train_model"].inputs


def test_the_grids_are_configuration() -> None:
    """One training for each weight, and λ_p = 0 beside the λ_p alone."""
    grids = {"tune": [2], "tune_wide": [0.25, 3], "tune_share": [0.1]}
    found = made(grids=grids)
    trained = {
        name: {node.namespace for node in found[name].nodes if node.name.endswith("train_model")}
        for name in grids
    }
    assert trained == {
        "tune": {"tuning.lambda_0", "tuning.lambda_2"},
        "tune_wide": {"tuning.lambda_0", "tuning.lambda_0_25", "tuning.lambda_3"},
        "tune_share": {"tuning.share_0_1"},
    }


def test_the_stages_are_configuration() -> None:
    """Without a tuning among them the proposed model takes λ_p from the parameters."""
    found = made(stages=["ingest", "train"])["__default__"]
    assert "chosen_lambda" not in found.datasets()
    assert {"splits", "proposed_checkpoint"} <= found.all_outputs()
    assert "comparison" not in found.datasets()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("models", with_model(light={"training": {"lamda_cycle": 3}}), "lamda_cycle"),
        ("models", with_model(light={"sedes": [1]}), "sedes"),
        ("models", with_model(light={"training": {"seed": 1}}), "training.seed"),
        ("models", with_model(Light={}), "models.Light"),
        ("models", {"baseline": {}}, "proposed"),
        ("models", with_model(light={"seeds": [-1]}), "models.light.seeds"),
        ("models", with_model(lambda_5={}), "would be called lambda_5"),
        ("models", with_model(share_0_5={}), "would be called share_0_5"),
        ("models", with_model(light=THREE_SEEDS, light_seed_1={}), "called light_seed_1"),
        (
            "models",
            with_model(light={"training": {"lambda_perceptual": 1}, "lambda_from_tuning": True}),
            "lambda_from_tuning",
        ),
        ("grids", {"tune": [0], "tune_wide": [1], "tune_share": [0.5]}, "grids.tune"),
        ("grids", {"tune": [1], "tune_wide": [1], "tune_share": [1]}, "grids.tune_share"),
        ("stages", ["ingest", "dream"], "stages"),
        ("compare_with", "nobody", "nobody"),
    ],
)
def test_an_impossible_experiment_is_one_sentence(name: str, value: Any, words: str) -> None:
    """It names the entry, and the file to look into."""
    with pytest.raises(PortraitPipelineError, match=words) as raised:
        made(**{name: value})
    assert "parameters_models.yml" in str(raised.value)


@pytest.mark.usefixtures("_no_context")
def test_without_a_context_the_environment_is_that_of_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`kedro registry list` makes no context; it follows KEDRO_ENV."""
    project = tmp_path / "project"
    own = project / "conf" / "own"
    own.mkdir(parents=True)
    (project / "conf" / "base").symlink_to(CONF / "base")
    (project / "pyproject.toml").symlink_to(CONF.parent / "pyproject.toml")
    (own / "parameters_models.yml").write_text("models: {light: {}}", encoding="utf-8")
    monkeypatch.chdir(project)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    (project / "conf" / "local").mkdir()
    assert "train_light" not in register_pipelines()
    monkeypatch.setenv("KEDRO_ENV", "own")
    assert "train_light" in register_pipelines()


@pytest.mark.usefixtures("_no_context")
def test_the_pipelines_follow_the_environment_and_parameters_of_the_run() -> None:
    """A second run of one process, with other parameters, has its own pipelines."""
    open_session("sample")
    assert "train_light" not in pipelines
    open_session("sample", models={"light": {"seeds": [3]}})
    assert "train_light" in pipelines
