"""The pipelines by the names that people type."""

import os
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project
from pydantic import ValidationError

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.hooks.environment import ProjectConfigLoader
from portrait_pipeline.parameters import ExperimentParameters, ModelParameters
from portrait_pipeline.pipelines import (
    evaluation,
    ingestion,
    portraits,
    reporting,
    training,
    tuning,
)
from portrait_pipeline.settings import CONFIG_LOADER_ARGS

# Where the configuration is read when no command of Kedro says in which project it runs.
SOURCE_TREE = Path(__file__).resolve().parents[2]


def register_pipelines() -> dict[str, Pipeline]:
    """Compose the modular pipelines into those that are run, for the models of the environment.

    `__default__` does the stages of the configuration in order; there a model with
    `lambda_from_tuning` is trained with the λ_p that `tune` chose, whereas `train_<model>` alone
    takes it from the parameters.
    """
    return make_pipelines(read_experiment(_parameters()))


def make_pipelines(experiment: ExperimentParameters) -> dict[str, Pipeline]:
    """Make every pipeline of an experiment, by name."""
    models, is_tuned = experiment.models, "tune" in experiment.stages
    _refuse_taken_names(experiment)
    trained = {name: trained_models(name, model) for name, model in models.items()}
    judged = {trained_as: name for name in models for trained_as in trained[name]}
    named = {
        "ingest": _group("ingestion", ingestion.create_pipeline(experiment.num_ingestion_shards)),
        "train": _sum(_train(trained[name]) for name in models),
        **{f"train_{name}": _train(trained[name]) for name in models},
        "tune": _tune(experiment.grids.tune),
        "tune_wide": _tune(experiment.grids.tune_wide),
        "tune_share": _try_shares(experiment.grids.tune_share),
        "evaluate": _group(
            "evaluation", evaluation.create_pipeline(judged, _pairs(experiment, trained))
        ),
        "report": _group("reporting", reporting.create_pipeline(judged, is_tuned)),
        "publish": reporting.create_publication(experiment.stages),
        "portraits": portraits.create_pipeline(),
        "export": portraits.create_export(tuple(models)),
    }
    in_order = {**named, "train": _sum(_train(trained[name], is_tuned) for name in models)}
    return {**named, "__default__": _sum(in_order[stage] for stage in experiment.stages)}


def read_experiment(parameters: Mapping[str, Any]) -> ExperimentParameters:
    """Read which models, grids and stages there are.

    Raises:
        PortraitPipelineError: if one is unknown or impossible, with its place in the configuration.
    """
    fields = ExperimentParameters.model_fields.items()
    given = {
        name: parameters.get(name)
        for name, field in fields
        if field.is_required() or name in parameters
    }
    try:
        return ExperimentParameters.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise PortraitPipelineError(
            f"{place or 'models'}: {first['msg']} (see conf/base/parameters_models.yml)"
        ) from error


def trained_models(name: str, model: ModelParameters) -> dict[str, ModelParameters]:
    """List what is trained of a model, one for each seed; the first carries the model's name."""
    if not model.seeds:
        return {name: model}
    names = [name, *(f"{name}_seed_{seed}" for seed in model.seeds[1:])]
    return {
        trained_as: model.model_copy(update={"seeds": (seed,)})
        for trained_as, seed in zip(names, model.seeds, strict=True)
    }


def _refuse_taken_names(experiment: ExperimentParameters) -> None:
    """Refuse a model that is called as a training of a grid, or as another model's seed."""
    grids = experiment.grids
    names = ["lambda_0", *{_name("lambda", each) for each in (*grids.tune, *grids.tune_wide)}]
    names += [_name("share", each) for each in grids.tune_share]
    names += [
        each for name, model in experiment.models.items() for each in trained_models(name, model)
    ]
    for name in names:
        if names.count(name) > 1:
            raise PortraitPipelineError(
                f"models: two trainings would be called {name}, expected another name for a model"
                " (see conf/base/parameters_models.yml)"
            )


def _pairs(
    experiment: ExperimentParameters, trained: Mapping[str, Mapping[str, ModelParameters]]
) -> dict[str, str]:
    """Name the model that each one is compared with: of the same seed, or else the first."""
    first, *_ = trained[experiment.compare_with]
    by_seed = {model.seeds: name for name, model in trained[experiment.compare_with].items()}
    return {
        trained_as: by_seed.get(model.seeds, first)
        for name, of_seeds in trained.items()
        if name != experiment.compare_with
        for trained_as, model in of_seeds.items()
    }


def _parameters() -> Mapping[str, Any]:
    """Return the parameters of the session or, where none was made, those of `KEDRO_ENV`."""
    loader = ProjectConfigLoader.latest
    if loader is None:
        loader = OmegaConfigLoader(
            conf_source=str((find_kedro_project(Path.cwd()) or SOURCE_TREE) / "conf"),
            env=os.environ.get("KEDRO_ENV"),
            **CONFIG_LOADER_ARGS,
        )
    values: Mapping[str, Any] = loader["parameters"]
    return values


def _group(name: str, pipeline: Pipeline) -> Pipeline:
    """Put all nodes into a namespace, one box in Kedro-Viz; datasets keep their names."""
    return Pipeline(pipeline, namespace=name, prefix_datasets_with_namespace=False)


def _prepare(models: Mapping[str, ModelParameters]) -> Pipeline:
    return _group("preparation", training.create_preparation(models.values()))


def _train(models: Mapping[str, ModelParameters], takes_chosen_lambda: bool = False) -> Pipeline:
    """Train a model once for each seed."""
    return _prepare(models) + _sum(
        training.create_pipeline(name, model, takes_chosen_lambda and model.lambda_from_tuning)
        for name, model in models.items()
    )


def _tune(grid: Iterable[float]) -> Pipeline:
    """One training and one scoring per λ_p, one of each for λ_p = 0, and the choice."""
    weights = {_name("lambda", weight): _fixed(weight) for weight in grid}
    models = {"lambda_0": _fixed(0.0), **weights}
    choice = tuning.create_pipeline(tuple(weights))
    return _prepare(models) + _group("tuning", _train_briefly(models) + choice)


def _try_shares(grid: Iterable[float]) -> Pipeline:
    """One training and one scoring per share, and their table, to set beside that of λ_p."""
    shares = {_name("share", share): _fixed(0.0, share) for share in grid}
    table = tuning.create_share_pipeline(tuple(shares))
    return _prepare(shares) + _group("tuning", _train_briefly(shares) + table)


def _train_briefly(models: Mapping[str, ModelParameters]) -> Pipeline:
    return _sum(
        training.create_tuning(name, model) + evaluation.create_scoring(name, "validation")
        for name, model in models.items()
    )


def _fixed(lambda_perceptual: float, share: float | None = None) -> ModelParameters:
    weight = {"lambda_perceptual": lambda_perceptual, "perceptual_gradient_share": share}
    return ModelParameters(training=weight)


def _name(kind: str, weight: float) -> str:
    return f"{kind}_{weight:g}".replace(".", "_")


def _sum(pipelines: Iterable[Pipeline]) -> Pipeline:
    return reduce(add, pipelines)
