"""A model's MLflow run holds settings one by one, curves by step, and is taken up again."""

from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from portrait_pipeline.cyclegan.run_files import FileTracker, replay
from portrait_pipeline.datasets.mlflow_run import (
    MlflowRunDataset,
    MlflowRunTracker,
    flatten,
    written_setting,
)
from portrait_pipeline.datasets.pipeline_run import PIPELINE_RUN
from portrait_pipeline.errors import TrackingLostError

pytestmark = pytest.mark.usefixtures("mlflow_store")


def started(tracking_id: str | None = None) -> tuple[MlflowRunTracker, str]:
    tracker = MlflowRunDataset().load()
    run_id = tracker.start(
        "baseline",
        {"lambda_perceptual": 0, "faces": {"margin": 0.3}},
        {"data_hash": "ab"},
        tracking_id,
    )
    return tracker, run_id


def run_of(run_id: str) -> Run:
    return MlflowClient().get_run(run_id)


def test_flattening_keeps_every_leaf() -> None:
    """Nested settings become dotted names, one level deep."""
    assert flatten({"a": 1, "b": {"c": 2, "d": {"e": 3}}}) == {"a": 1, "b.c": 2, "b.d.e": 3}


def test_settings_are_logged_one_by_one() -> None:
    """A nested setting is a parameter of its own, so that runs can be compared by it."""
    _, run_id = started()
    assert run_of(run_id).data.params == {"lambda_perceptual": "0", "faces.margin": "0.3"}


def test_the_run_is_named_for_its_model_and_tagged() -> None:
    """Name, data hash and library versions stand on the run."""
    _, run_id = started()
    tags = run_of(run_id).data.tags
    assert run_of(run_id).info.run_name == "baseline"
    assert tags["data_hash"] == "ab"
    assert "version.torch" in tags


def test_the_run_names_that_of_its_pipeline_and_is_a_row_of_its_own() -> None:
    """It is in the pipeline's experiment; as MLflow's child it would be hidden below it."""
    with mlflow.start_run() as parent:
        _, run_id = started()
    assert run_of(run_id).data.tags[PIPELINE_RUN] == parent.info.run_id
    assert "mlflow.parentRunId" not in run_of(run_id).data.tags
    assert run_of(run_id).info.experiment_id == parent.info.experiment_id


def test_the_run_says_what_it_is_and_on_which_pictures() -> None:
    """A description, and the pictures with their hash, once also where it is taken up again."""
    _, run_id = started()
    started(run_id)
    run = run_of(run_id)
    assert "**baseline**" in run.data.tags["mlflow.note.content"]
    pictures = [(each.dataset.name, each.dataset.digest) for each in run.inputs.dataset_inputs]
    assert pictures == [("training_pictures", "ab")]


def test_curves_keep_their_steps() -> None:
    """Each point lands at its step, and the last step is known."""
    tracker, run_id = started()
    for step in (1, 2):
        tracker.log_metrics({"generator_loss": 1.0 / step}, step)
    points = MlflowClient().get_metric_history(run_id, "generator_loss")
    assert [(point.step, point.value) for point in points] == [(1, 1.0), (2, 0.5)]
    assert tracker.last_step("generator_loss") == 2
    assert tracker.last_step("never_logged") == -1


def test_a_resumed_training_goes_on_in_its_run() -> None:
    """The same run is open again, and no second one is made."""
    tracker, run_id = started()
    tracker.finish("KILLED")
    _, again = started(run_id)
    assert again == run_id
    assert run_of(run_id).info.status == "RUNNING"


def test_a_resumed_run_belongs_to_the_pipeline_that_goes_on() -> None:
    """The killed pipeline's run, which nobody could close, is closed; the new one is the parent."""
    killed = mlflow.start_run().info.run_id
    _, run_id = started()
    mlflow.end_run("RUNNING")  # forgotten by this process, open in the store
    MlflowClient().update_run(killed, status="RUNNING")
    with mlflow.start_run() as parent:
        started(run_id)
    assert run_of(run_id).data.tags[PIPELINE_RUN] == parent.info.run_id
    assert run_of(killed).info.status == "KILLED"


def test_a_run_that_is_gone_starts_anew() -> None:
    """A store that lost the run does not stop the training."""
    _, run_id = started("0" * 32)
    assert run_id != "0" * 32


def test_pictures_and_the_end_are_kept() -> None:
    """A sample grid is an artifact; the status is the one given."""
    tracker, run_id = started()
    tracker.log_image("sample_grid", np.zeros((4, 4, 3), dtype=np.uint8), 1)
    tracker.finish("FINISHED")
    assert MlflowClient().list_artifacts(run_id, "images")
    assert run_of(run_id).info.status == "FINISHED"


def test_a_store_that_is_gone_is_named(tmp_path: Path) -> None:
    """Every call says in one sentence which store does not answer, why, and what to do."""
    tracker, _ = started()
    (tmp_path / "mlflow.db").write_bytes(b"no database any more" * 1000)
    calls: list[Callable[[], object]] = [
        lambda: tracker.log_metrics({"generator_loss": 1.0}, 1),
        lambda: tracker.last_step("generator_loss"),
        lambda: tracker.log_image("sample_grid", np.zeros((4, 4, 3), dtype=np.uint8), 1),
        lambda: tracker.finish("FINISHED"),
        started,
    ]
    for call in calls:
        with pytest.raises(TrackingLostError, match=r"store sqlite:.*mlflow\.db failed.*start it"):
            call()


def test_a_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of a store is told without user and password."""
    tracker, _ = started()
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: "https://me:secret@runs.example.org")

    def refuses(*_given: object) -> None:
        raise mlflow.MlflowException("connection refused\nand a long story")

    monkeypatch.setattr(tracker._client, "set_terminated", refuses)
    with pytest.raises(TrackingLostError) as caught:
        tracker.finish("FINISHED")
    assert "https://***@runs.example.org failed (connection refused)" in str(caught.value)


def test_nothing_is_logged_before_a_run_is_started() -> None:
    """A tracker without a run says so instead of opening one by itself."""
    with pytest.raises(RuntimeError, match="start"):
        MlflowRunTracker().log_metrics({"generator_loss": 1.0}, 1)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (5.0, "5"),
        (5, "5"),
        (0.5, "0.5"),
        (-0.0, "0"),
        (2e-4, "0.0002"),
        (1e16, "1e+16"),
        (True, "True"),
        (None, "None"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ("5.0", "5.0"),
        ("https://me:secret@host.example/a?b=secret", "https://***@host.example/a?***"),
    ],
)
def test_a_setting_is_written_as_people_search_for_it(value: object, written: str) -> None:
    """Whole floats without decimals, everything else as it is, secrets never."""
    assert written_setting(value) == written


def test_lambda_is_found_as_it_is_typed() -> None:
    """`params.lambda_perceptual = '5'` finds the run of λ_p = 5.0."""
    tracker = MlflowRunDataset().load()
    run_id = tracker.start("proposed", {"lambda_perceptual": 5.0}, {})
    experiment = run_of(run_id).info.experiment_id
    found = MlflowClient().search_runs([experiment], "params.lambda_perceptual = '5'")
    assert [run.info.run_id for run in found] == [run_id]


def test_a_run_opened_before_is_gone_on_with_whatever_its_settings_looked_like() -> None:
    """A parameter that is there is not written again: MLflow refuses a second value."""
    run_id = MlflowRunDataset().load().start("baseline", {}, {})
    MlflowClient().log_param(run_id, "lambda_perceptual", "0.0")
    assert started(run_id)[1] == run_id
    assert run_of(run_id).data.params["lambda_perceptual"] == "0.0"


def deleted_in_the_ui() -> str:
    _, run_id = started()
    MlflowClient().delete_run(run_id)
    return run_id


GONE = {"deleted": deleted_in_the_ui, "of another store": lambda: "0" * 32}


@pytest.mark.parametrize("gone", GONE)
def test_scores_of_a_model_whose_run_is_gone_go_into_the_pipelines(
    gone: str, caplog: pytest.LogCaptureFixture
) -> None:
    """They carry the model's name there, and one line says so."""
    lost = GONE[gone]()
    with mlflow.start_run() as parent:
        for model, ssim in (("baseline", 0.5), ("proposed", 0.25)):
            tracker = MlflowRunDataset(model=model).load()
            tracker.attach(lost)
            tracker.log_metrics({"test_ssim": ssim}, 3)
            tracker.add_to_tag("judge", "faceres")
    data = run_of(parent.info.run_id).data
    assert data.metrics == {"baseline.test_ssim": 0.5, "proposed.test_ssim": 0.25}
    assert data.tags["proposed.judge"] == "faceres"
    assert [record.levelname for record in caplog.records].count("WARNING") == 2
    assert "the MLflow run that trained baseline is gone" in caplog.text


def test_a_training_whose_run_was_deleted_opens_a_new_one() -> None:
    """It does not write into what a person has thrown away."""
    lost = deleted_in_the_ui()
    assert started(lost)[1] != lost


def test_scores_never_stop_work(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With no store, and with no run to write to, scoring goes on; the tables hold the numbers."""
    _, run_id = started()
    attached, unknown = MlflowRunTracker("baseline"), MlflowRunTracker("proposed")
    attached.attach(run_id)
    unknown.attach("0" * 32)  # and no pipeline has a run open
    (tmp_path / "mlflow.db").write_bytes(b"no database any more" * 1000)
    late = MlflowRunTracker("lambda_1")
    late.attach(run_id)
    for tracker in (attached, unknown, late):
        tracker.log_metrics({"test_ssim": 0.5})
        tracker.add_to_tag("judge", "faceres")
    assert "the scores of baseline are in the tables" in caplog.text


def test_several_judges_are_listed() -> None:
    """A second judge is added to the first; the same one twice stands once."""
    tracker, run_id = started()
    tracker.attach(run_id)
    for judge in ("geometry", "faceres", "geometry"):
        tracker.add_to_tag("judge", judge)
    assert run_of(run_id).data.tags["judge"] == "faceres, geometry"


def test_a_model_inherits_the_commit_of_its_pipeline() -> None:
    """Tags that were set after the pipeline's run was opened are inherited too."""
    with mlflow.start_run():
        mlflow.set_tag("git_commit", "abc-dirty")
        _, run_id = started()
    assert run_of(run_id).data.tags["git_commit"] == "abc-dirty"


def test_the_log_of_a_training_elsewhere_becomes_a_run(tmp_path: Path) -> None:
    """Settings, curve, picture and status of a folder's log are those of an MLflow run."""
    kept = FileTracker(tmp_path / "out")
    kept.start("proposed", {"seed": 1}, {"data_hash": "ab"})
    kept.log_image("sample_grid", np.zeros((4, 6, 3), np.uint8), 2)
    for epoch, loss in ((1, 2.5), (2, 1.5)):
        kept.log_metrics({"generator_loss": loss}, epoch)
    kept.finish("FINISHED")
    replay(tmp_path / "out", MlflowRunTracker("proposed"))
    (run,) = MlflowClient().search_runs(
        [e.experiment_id for e in MlflowClient().search_experiments()]
    )
    assert (run.data.params["seed"], run.data.tags["data_hash"]) == ("1", "ab")
    assert run.info.status == "FINISHED"
    points = MlflowClient().get_metric_history(run.info.run_id, "generator_loss")
    assert [(point.step, point.value) for point in points] == [(1, 2.5), (2, 1.5)]
    assert MlflowClient().list_artifacts(run.info.run_id)
