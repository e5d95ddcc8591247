"""What several hosts must share, and what is said where they do not."""

from dataclasses import replace
from pathlib import Path

import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.runners.storage import fault_of, host_facts, refuse_files_of_one_host

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
