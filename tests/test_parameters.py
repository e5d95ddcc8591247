"""The YAML of every environment fits its models, and nothing unknown or impossible does."""

from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from pydantic import ValidationError
from support.environments import CONF, ENVIRONMENTS

from portrait_pipeline import parameters
from portrait_pipeline.settings import CONFIG_LOADER_ARGS

MODELS = {
    "photos": parameters.PictureSourceParameters,
    "paintings": parameters.PictureSourceParameters,
    "sample": parameters.SampleParameters,
    "faces": parameters.FaceParameters,
    "audit": parameters.AuditParameters,
    "splits": parameters.SplitParameters,
    "persons": parameters.PersonParameters,
    "training": parameters.TrainingParameters,
    "tuning": parameters.TuningParameters,
    "evaluation": parameters.EvaluationParameters,
    "portraying": parameters.PortrayingParameters,
}


def loaded(env: str, **given: Any) -> dict[str, Any]:
    loader = OmegaConfigLoader(
        conf_source=str(CONF), env=env, runtime_params=given, **CONFIG_LOADER_ARGS
    )
    values: dict[str, Any] = loader["parameters"]
    return values


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_shipped_settings_are_valid(env: str) -> None:
    """Every entry of every environment passes its model, before any folder of pictures is given."""
    values = loaded(env)
    for name, model in MODELS.items():
        model.model_validate(values[name])


def test_the_base_settings_name_every_parameter() -> None:
    """`conf/base` is where a reader looks for what can be changed."""
    values = loaded("base")
    left_out = {name: set(model.model_fields) - set(values[name]) for name, model in MODELS.items()}
    assert not any(left_out.values()), left_out


def test_the_base_settings_are_the_reports() -> None:
    """Report, sections 3, 5.2 and 5.3: the numbers that it states."""
    values = loaded("base")
    training, splits = values["training"], values["splits"]
    assert (splits["num_train"], splits["num_validation"], splits["num_test"]) == (1000, 500, 500)
    assert (training["num_epochs"], training["learning_rate"]) == (50, 2e-4)
    assert (training["lambda_cycle"], training["lambda_perceptual"]) == (10, 5)
    assert (training["image_pool_size"], training["batch_size"]) == (50, 1)
    assert (training["image_size_px"], training["num_residual_blocks"]) == (256, 9)
    assert training["perceptual_reduction"] == "sum"
    assert values["tuning"]["num_pairs"] == 200


@pytest.mark.parametrize("env", ["base", "sample", "study"])
def test_what_people_change_reaches_the_models(env: str) -> None:
    """The short names of the command line arrive in the settings of the pipelines."""
    given = {
        "teacher": "facenet",
        "lambda_perceptual": 0.5,
        "num_epochs": 7,
        "seed": 3,
        "resume": True,
        "photos_folder": "mine",
    }
    values = loaded(env, **given)
    for name in ("teacher", "lambda_perceptual", "num_epochs", "seed", "resume"):
        assert values["training"][name] == given[name]
    source = parameters.PictureSourceParameters.model_validate(values["photos"])
    assert (source.source, source.folder) == ("folder", "mine")


@pytest.mark.parametrize("env", ["base", "sample", "study"])
def test_the_seed_of_the_trainings_changes_nothing_else(env: str) -> None:
    """Another seed meets the same sample, people, splits, patches and resampled pictures."""
    one, other = loaded(env, seed=0), loaded(env, seed=7)
    assert other["training"].pop("seed") == 7
    assert one["training"].pop("seed") == 0
    assert {name for name in one if one[name] != other[name]} == {"seed"}


@pytest.mark.parametrize(
    ("rule", "metric"),
    [("ssim", "validation_ssim"), ("pareto", "validation_painted_identity")],
)
def test_the_best_epoch_is_chosen_by_the_rule_that_chooses_lambda(rule: str, metric: str) -> None:
    """`selection` decides between epochs as it does between λ_p."""
    values = loaded("sample", selection=rule)
    assert values["training"]["selection_metric"] == metric
    assert values["tuning"]["selection"] == rule


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("training", {"lamda_cycle": 10}),
        ("training", {"learning_rate": 0}),
        ("training", {"image_size_px": 65}),
        ("training", {"num_decay_epochs": 10_000}),
        ("faces", {"margin": -1}),
        ("splits", {"split": "random"}),
        ("evaluation", {"judge": "nobody"}),
        ("evaluation", {"checkpoint": "best", "use_averaged_generator": False}),
        ("training", {"seed": 2**63}),
        ("sample", {"seed": 10**30}),
    ],
)
def test_what_cannot_be_is_refused(name: str, change: dict[str, Any]) -> None:
    """A mistyped name, a value out of bounds and an unknown choice fail at once."""
    with pytest.raises(ValidationError, match=next(iter(change))):
        MODELS[name].model_validate({**loaded("base")[name], **change})


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("truth", [True, False])
def test_truth_is_no_number(name: str, truth: bool) -> None:
    """Where a number or a word is expected, `true` is refused by the name of its setting."""
    values = loaded("sample")[name]
    for field, value in values.items():
        takes_truth = "bool" in str(MODELS[name].model_fields[field].annotation)
        if not takes_truth and not isinstance(value, dict):
            wrong = [*value, truth] if isinstance(value, list) else truth
            with pytest.raises(ValidationError, match=rf"(?m)^{field}\n  expected a number"):
                MODELS[name].model_validate({**values, field: wrong})


def test_settings_do_not_change_afterwards() -> None:
    """The models are frozen."""
    splits = parameters.SplitParameters.model_validate(loaded("base")["splits"])
    with pytest.raises(ValidationError, match="frozen"):
        splits.num_train = 1  # type: ignore[misc]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize("name", ["lambda_perceptual", "learning_rate", "lambda_cycle"])
def test_no_setting_is_infinite(name: str, value: float) -> None:
    """A loss of infinite weight would be found out by the first step."""
    training = {**loaded("sample")["training"], name: value}
    with pytest.raises(ValidationError, match=name):
        parameters.TrainingParameters.model_validate(training)
