"""What MLflow shows of a run beside its numbers."""

import pandas as pd
import pytest

from portrait_pipeline.datasets.run_description import (
    MAX_DIGEST,
    dataset_input,
    describe_pipeline,
    describe_training,
    digest_of,
)


@pytest.mark.parametrize("digest", ["ab", "0" * 64])
def test_pictures_are_known_by_name_and_hash(digest: str) -> None:
    """A hash that is longer than MLflow's column is cut, not refused."""
    named = dataset_input("splits", digest, "pictures")
    assert (named.dataset.name, named.dataset.digest) == ("splits", digest[:MAX_DIGEST])
    assert [(tag.key, tag.value) for tag in named.tags] == [("mlflow.data.context", "pictures")]


def test_another_picture_is_another_hash() -> None:
    """The same table has the same hash; one other cell changes it."""
    table = pd.DataFrame({"name": ["a.jpg", 'b, "ö".jpg'], "split": ["train", "test"]})
    assert digest_of(table) == digest_of(table.copy())
    assert digest_of(table) != digest_of(table.assign(split="train"))


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"lambda_perceptual": 0.5, "seed": 3}, "CycleGAN **proposed**: λ_p 0.5, seed 3."),
        ({"lambda_perceptual": 5.0, "num_epochs": 10}, "λ_p 5, epochs 10."),
        ({"lambda_perceptual": None}, "CycleGAN **proposed**."),
        ({}, "CycleGAN **proposed**."),
    ],
)
def test_a_training_says_its_settings(parameters: dict[str, float], says: str) -> None:
    """Those that are known, in one sentence."""
    assert says in describe_training("proposed", parameters, {}, None)


def test_a_training_names_its_command_and_the_run_of_its_pipeline() -> None:
    """The command trains it again; the link leads to the tables."""
    note = describe_training("baseline", {}, {"kedro_command": "kedro run"}, "#/runs/1")
    assert "`kedro run`" in note
    assert "(#/runs/1)" in note
    assert "`kedro run --env=sample`" in describe_pipeline("kedro run --env=sample")
