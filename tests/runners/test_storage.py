"""What several hosts must share, and what is said where they do not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset
from support.kedro_project import KedroProject, make_project, training_in
from support.mlflow_server import mlflow_server, serving
from support.ports import free_port
from support.postgres import serving_postgres

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.runners import storage
from portrait_pipeline.runners.cluster import Host, living_hosts
from portrait_pipeline.runners.storage import (
    check_hosts,
    fault_of,
    host_facts,
    refuse_files_of_one_host,
)

CSV = {"splits": Path("/data/splits.csv")}
SERVER = "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    "uri", ["sqlite:////p/mlflow.db", "/p/mlruns", "file:///p/mlruns", "postgresql://h/m"]
)
def test_a_store_of_one_host_is_refused(uri: str) -> None:
    """Every store but a server, with the setting to change and without a password."""
    with pytest.raises(PortraitPipelineError, match=r"server\.mlflow_tracking_uri") as caught:
        refuse_files_of_one_host(uri.replace("//h", "//me:secret@h"), CSV)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["detection_store", "embedding_store"])
def test_a_sqlite_file_is_refused(name: str) -> None:
    """The dataset and the file are named."""
    with pytest.raises(PortraitPipelineError, match=rf"{name} is the SQLite file /d/x\.sqlite"):
        refuse_files_of_one_host(SERVER, {**CSV, name: Path("/d/x.sqlite")})
    refuse_files_of_one_host(SERVER, CSV)


def test_a_host_that_differs_is_named(tmp_path: Path) -> None:
    """Another version, no answer, a folder that it does not see, a full disk; else nothing."""
    marker = tmp_path / "marker"
    marker.touch()
    here = host_facts(str(marker))
    assert fault_of("b", tmp_path, here, here) is None
    assert not host_facts(str(tmp_path / "elsewhere")).sees_data
    faults = {
        "torch 1.0, expected": replace(here, versions={**here.versions, "torch": "1.0"}),
        "portrait_pipeline none": replace(
            here, versions={k: v for k, v in here.versions.items() if k != "portrait_pipeline"}
        ),
        "Python 3.9": replace(here, versions={**here.versions, "Python": "3.9"}),
        "No module named": "No module named 'portrait_pipeline'",
        f"does not see {tmp_path}": replace(here, sees_data=False),
        "free space": replace(here, free_bytes=0),
    }
    for words, there in faults.items():
        sentence = fault_of("host-b", tmp_path, here, there)
        assert sentence is not None
        assert words in sentence
        assert "host-b" in sentence


def test_hosts_are_asked_before_any_work(
    ray: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law: on a cluster that others have started, also one host; several share the stores."""
    pipeline = Pipeline([Node(func=abs, inputs="start", outputs="end", name="work")])
    catalog = DataCatalog({"end": JSONDataset(filepath=str(tmp_path / "data" / "end.json"))})
    hosts = living_hosts(ray)
    check_hosts(ray, hosts, {}, pipeline, catalog)
    assert not list((tmp_path / "data").iterdir())
    monkeypatch.setattr(storage, "_version", lambda _: "1.0")
    with pytest.raises(PortraitPipelineError, match=r"has \S+ .*, expected 1\.0 as here"):
        check_hosts(ray, hosts, {}, pipeline, catalog)
    monkeypatch.setattr(storage.mlflow, "get_tracking_uri", lambda: "sqlite:///mlflow.db")
    with pytest.raises(PortraitPipelineError, match="cannot share: start `mlflow server`"):
        check_hosts(ray, [*hosts, Host("2", "host-b", {})], {}, pipeline, catalog)


@pytest.fixture
def served_project(tmp_path: Path) -> Iterator[KedroProject]:
    """A project whose runs a server keeps in PostgreSQL."""
    port = free_port()
    with (
        serving_postgres() as database,
        serving(mlflow_server(port, database, tmp_path / "kept"), port),
    ):
        (tmp_path / "project").mkdir()
        made = make_project(tmp_path / "project", f"http://127.0.0.1:{port}")
        yield made
        made.stop()


@pytest.mark.slow
def test_a_server_with_postgresql_keeps_what_workers_write(
    cluster: Any, served_project: KedroProject, tmp_path: Path
) -> None:
    """Law: one run of the command and one of the model, both FINISHED, its files at the server."""
    served_project.add_workspace("served")
    runner = "--runner=portrait_pipeline.runners.RayRunner"
    address = f"--runner-params=address={cluster.address}"
    code, output = served_project.run([*training_in("served", "num_epochs=1"), runner, address])
    assert code == 0, output
    runs = {run.info.run_name: run for run in served_project.runs("served")}
    assert sorted(runs) == ["baseline", "train_baseline"]
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    model, pipeline = runs["baseline"], runs["train_baseline"].info.run_id
    assert model.data.tags["pipeline_run"] == pipeline
    assert model.data.metrics
    files = (path.relative_to(tmp_path / "kept") for path in (tmp_path / "kept").rglob("*.*"))
    kept = {path.parts[1:4] for path in files}
    folders = ("checkpoint", "images", "model")
    assert kept == {(model.info.run_id, "artifacts", folder) for folder in folders}
