"""Laws of masking: no secret in any form, everything else unchanged, and in every sink."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook
from mlflow.tracking import MlflowClient
from support.mlflow_store import make_store, tracking_at

from portrait_pipeline.datasets.mlflow_run import MlflowRunTracker, store_answers
from portrait_pipeline.datasets.run_log import RunLogDataset
from portrait_pipeline.errors import PortraitPipelineError, TrackingLostError
from portrait_pipeline.hooks.commands import command_of
from portrait_pipeline.hooks.tracking import TrackingHook
from portrait_pipeline.masking import mask_secrets, mask_values
from portrait_pipeline.parameters import PictureSourceParameters
from portrait_pipeline.report.page import sort_facts
from portrait_pipeline.terminal import MaskingFormatter, exit_with_one_sentence

SECRET = "s3cr3tValue"
WITH_SECRETS = [
    f"https://me:{SECRET}@host.example/a.zip",
    f"https://{SECRET}@host.example/a.zip",
    f"https://me:{SECRET}@inner@host.example/a.zip",
    f"https://me:{SECRET}/x@host.example/a.zip",
    f"ftp://me:{SECRET}@host.example",
    f"postgresql+psycopg2://me:{SECRET}@db:5432/mlflow",
    f"https://host.example/a.zip?token={SECRET}",
    f"https://host.example/a.zip?X-Amz-Credential=a%2Fb&X-Amz-Signature={SECRET}",
    f"https://host.example/a.zip?sv=2024&sig={SECRET}&se=2026",
    f"https://host.example/a.zip?whatever={SECRET}",
    f"https://host.example/a.zip#access_token={SECRET}",
    f"https://me:it's{SECRET}@host.example/a.zip",
    f"https://me:{{{SECRET}}}@host.example/a.zip",
    f"https://me:|{SECRET}<`>^@host.example/a.zip",
    f'https://me:"{SECRET}"@host.example/a.zip',
    f"https://me:p:{SECRET}@host.example:80/a.zip",
    f"['https://me:{SECRET}@a.example', 'https://host.example/a.zip']",
    f"HTTPS://ME:{SECRET}@HOST.EXAMPLE/A.ZIP",
    f"(could not read https://me:{SECRET}@host.example/a.zip, trying again)",
    f"photos.archive=https://me:{SECRET}@host.example/a.zip,workspace=mine",
    f"me:{SECRET}@host.example/a.zip",
    f"//me:{SECRET}@host.example/a.zip",
    f"proxy me:{SECRET}@[2001:db8::1]:8080 refused",
    f"curl --user me:{SECRET}@host.example",
    f"curl --password {SECRET} host.example",
    f"fetch -token {SECRET} --api-key {SECRET}",
    f"token={SECRET}",
    f"password: {SECRET}",
    f"kaggle_api_token: '{SECRET}'",
    f"{{'key': '{SECRET}', 'username': 'me'}}",
    f'{{"secret_access_key": "{SECRET}"}}',
    f"AWS_SECRET_ACCESS_KEY={SECRET}",
    f"Authorization: Bearer {SECRET}",
    f"Authorization: Basic {SECRET}==",
]
WITHOUT = [
    "https://host.example:8080/a/b@1.2/c.zip",
    "https://cdn.example/npm/@vladmandic/human/models/faceres.bin",
    "git@host.example:photos/faces.git, me@host.example, 12:30 @ noon",
    "a command with --password --verbose, with --no-token, and a password of their own",
    "sqlite:////home/me/mlflow.db",
    "data/08_reporting/sample/report.html",
    "kedro run --env=sample --pipeline=tune --params resume=true,training.num_epochs=2",
    "num_tokens 5, keyboard: x, monkey=2, judge=geometry, keypoints: 5",
    "token=null, password: None",
    "12:30:11 INFO training: generators 39.68 · λ_p = 5",
]


@pytest.mark.parametrize("text", WITH_SECRETS)
def test_no_form_of_a_secret_is_left(text: str) -> None:
    """Addresses with users, queries, signatures; settings; headers; alone or within a sentence."""
    masked = mask_secrets(text)
    assert SECRET not in masked
    assert "***" in masked
    assert mask_secrets(masked) == masked


@pytest.mark.parametrize("text", WITHOUT)
def test_what_holds_no_secret_is_unchanged(text: str) -> None:
    """A path, a port, a version, a word that merely contains `key`."""
    assert mask_secrets(text) == text


def test_host_and_path_are_still_told() -> None:
    """Which file of which server it was stays readable."""
    masked = mask_secrets(f"https://me:{SECRET}@host.example:8/a/b.zip?sig={SECRET}#x")
    assert masked == "https://***@host.example:8/a/b.zip?***"


def test_nested_settings_are_masked_by_value_and_by_name() -> None:
    """Lists and mappings are searched; a value named as a secret goes whole, other types stay."""
    settings = {
        "photos": {"archive": f"https://host.example/a?b={SECRET}", "max": 3},
        "mirrors": [f"https://me:{SECRET}@a.example", 1.5, None],
        "api_token": SECRET,
    }
    assert mask_values(settings) == {
        "photos": {"archive": "https://host.example/a?***", "max": 3},
        "mirrors": ["https://***@a.example", 1.5, None],
        "api_token": "***",
    }


ADDRESS = f"https://me:{SECRET}@host.example/a.zip?token={SECRET}"
SOURCE = {"source": "archive", "archive": ADDRESS}


@pytest.fixture(scope="module")
def _mlflow_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    store = tmp_path_factory.mktemp("store") / "mlflow.db"
    with tracking_at(make_store(store)), mlflow.start_run():
        yield


def open_run() -> str:
    run = mlflow.active_run()
    assert run is not None
    return str(MlflowClient().get_run(run.info.run_id).to_dictionary())


def typed_parameters() -> str:
    TrackingHook()._log_param("photos", PictureSourceParameters(**SOURCE))
    return open_run()


def plain_parameters() -> str:
    hook = TrackingHook()
    hook._log_param("plain", ADDRESS)
    hook._log_param("nested", {"photos": {"archive": ADDRESS}})
    hook._log_param("kaggle.api_token", SECRET)
    return open_run()


def tags_of_the_pipeline() -> str:
    hook, told = TrackingHook(), []
    hook._project_path = Path()
    run_params = {"runtime_params": {"photos": SOURCE}, "pipeline_names": ["ingest"]}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TrackingHook, "_close_lost_runs", lambda _: [])
        patched.setattr(TrackingHook, "_open_experiment", lambda _: None)
        # kedro-mlflow writes what it is told into tags
        patched.setattr(MlflowHook, "before_pipeline_run", lambda _, *given: told.append(given[0]))
        hook.before_pipeline_run(run_params, Pipeline([]), DataCatalog({}))
    mlflow.set_tags(told[0])
    return open_run()


def run_of_a_model() -> str:
    settings = {"photos": SOURCE, "kaggle": {"api_token": SECRET}}
    run_id = MlflowRunTracker().start("baseline", settings, {"from": ADDRESS})
    return str(MlflowClient().get_run(run_id).to_dictionary())


def run_log() -> str:
    log = RunLogDataset(filepath="log.json")
    log.save({"commands": {"ingest": f"kedro run --params photos.archive={ADDRESS}"}})
    return Path("log.json").read_text(encoding="utf-8")


def recorded_command() -> str:
    return command_of({"runtime_params": {"photos": SOURCE}, "conf_source": ADDRESS})[0]


def report_page() -> str:
    return json.dumps(sort_facts({"settings": SOURCE, "commands": [ADDRESS], "from": ADDRESS}))


def log_with_a_traceback() -> str:
    try:
        raise OSError(f"no route to {ADDRESS}")
    except OSError:
        fault = sys.exc_info()
    record = logging.LogRecord("a", logging.INFO, "", 0, "from %s", (ADDRESS,), fault)
    return MaskingFormatter(logging.Formatter("%(message)s")).format(record)


def lost_store() -> str:
    try:
        with store_answers():
            raise mlflow.MlflowException(f"no answer from {ADDRESS}")
    except TrackingLostError as error:
        return str(error)


SINKS = [
    typed_parameters,
    plain_parameters,
    tags_of_the_pipeline,
    run_of_a_model,
    run_log,
    recorded_command,
    report_page,
    log_with_a_traceback,
    lost_store,
]


@pytest.mark.usefixtures("_mlflow_run")
@pytest.mark.parametrize("sink", SINKS)
def test_no_sink_keeps_a_secret(
    sink: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parameters, tags, run log, command, page, log: host and file are told, the secret is not."""
    monkeypatch.chdir(tmp_path)
    kept = sink()
    assert SECRET not in kept
    assert "host.example/a.zip" in kept


def test_the_sentence_at_the_terminal_tells_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """What ends a command is masked, whoever raised it."""
    for fault in (PortraitPipelineError(f"{ADDRESS} is not there"), RuntimeError(ADDRESS)):

        def fail(fault: Exception = fault) -> None:
            raise fault

        with pytest.raises(SystemExit):
            exit_with_one_sentence(fail, verbose=False)
    told = capsys.readouterr().err
    assert SECRET not in told
    assert told.count("https://***@host.example/a.zip?***") == 2
