"""Every dataset of one file is saved whole or not at all, and checked when it is loaded."""

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest
import yaml
from kedro.io import DataCatalog, DatasetError
from kedro.io.core import Version
from PIL import Image
from support.killed_save import killed_inside

from portrait_pipeline.datasets.places import location
from portrait_pipeline.datasets.whole import WholeFileDataset
from portrait_pipeline.errors import PortraitPipelineError

CATALOGS = sorted((Path(__file__).parents[2] / "conf" / "base").glob("catalog*.yml"))
TABLE = {"type": "portrait_pipeline.datasets.table.TableDataset"}
STORED = {"type": "portrait_pipeline.datasets.table.StoredTableDataset"}
PICTURE = {"type": "portrait_pipeline.datasets.picture.PictureDataset"}
KINDS: dict[str, tuple[dict[str, Any], Callable[[int], Any]]] = {
    "t.csv": (TABLE, lambda size: pd.DataFrame({"name": ["row"] * size})),
    "t.json": ({"type": "json.JSONDataset"}, lambda size: {"key": "x" * size}),
    "t.html": ({"type": "text.TextDataset"}, lambda size: "x" * size),
    "t.png": (PICTURE, lambda size: Image.effect_noise((size, 40), 90.0).convert("RGB")),
    "t_plot.json": (
        {"type": "plotly.JSONDataset"},
        lambda size: go.Figure(layout={"title.text": "x" * size}),
    ),
}


def dataset(folder: Path, name: str, version: Version | None = None) -> WholeFileDataset:
    return WholeFileDataset(filepath=str(folder / name), dataset=KINDS[name][0], version=version)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_saved_is_loaded(tmp_path: Path, name: str) -> None:
    """Beside the file there is its hash and nothing else, and the content comes back."""
    whole = dataset(tmp_path / "new", name)
    assert not whole.exists()
    made = KINDS[name][1](40)
    whole.save(made)
    assert whole.exists()
    assert sorted(os.listdir(tmp_path / "new")) == [name, f"{name}.sha256"]
    loaded = whole.load()
    assert loaded.equals(made) if isinstance(made, pd.DataFrame) else type(loaded) is not None


@pytest.mark.parametrize("name", KINDS)
def test_a_full_disk_keeps_yesterdays_file(small_disk: Path, name: str) -> None:
    """A save that does not fit says what to do, leaves no part and keeps what was there."""
    whole = dataset(small_disk, name)
    whole.save(KINDS[name][1](40))
    before = (small_disk / name).read_bytes()
    with pytest.raises(DatasetError) as caught:
        whole.save(KINDS[name][1](2_000_000 if name != "t.png" else 20_000))
    assert isinstance(caught.value.__cause__, PortraitPipelineError)
    assert "free space on that disk" in str(caught.value.__cause__)
    assert (small_disk / name).read_bytes() == before
    assert sorted(os.listdir(small_disk)) == [name, f"{name}.sha256"]
    whole.load()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("killed_at", [1, 3, 5, 6, 9])
def test_a_process_killed_inside_a_save_leaves_a_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, killed_at: int
) -> None:
    """Whenever it dies, the old or the new file is there and loads."""
    whole = dataset(tmp_path, name)
    contents = []
    for size in (40, 50):
        whole.save(KINDS[name][1](size))
        contents.append((tmp_path / name).read_bytes())
    whole.save(KINDS[name][1](40))
    with killed_inside(monkeypatch, killed_at):
        whole.save(KINDS[name][1](50))
    if name != "t.png":  # noise differs from call to call
        assert (tmp_path / name).read_bytes() == contents[killed_at > 5]
    whole.load()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda data: data + b" "])
def test_a_file_that_is_not_as_it_was_saved_is_not_loaded(
    tmp_path: Path, name: str, spoil: Callable[[bytes], bytes]
) -> None:
    """Half a file, which may well read as a whole one, is named with what to do."""
    whole = dataset(tmp_path, name)
    whole.save(KINDS[name][1](40))
    (tmp_path / name).write_bytes(spoil((tmp_path / name).read_bytes()))
    with pytest.raises(DatasetError) as caught:
        whole.load()
    assert f"{name} is damaged" in str(caught.value.__cause__)
    assert f"delete {name}.sha256" in str(caught.value.__cause__)


@pytest.mark.parametrize("name", ["t.json", "t.png", "t_plot.json"])
def test_another_format_is_named(tmp_path: Path, name: str) -> None:
    """A file without a hash that cannot be read is told with what to do."""
    (tmp_path / name).write_bytes(b"{nonsense")
    with pytest.raises(DatasetError) as caught:
        dataset(tmp_path, name).load()
    assert "delete it and run" in str(caught.value.__cause__)


def test_a_fault_of_the_data_is_not_called_a_full_disk(tmp_path: Path) -> None:
    """What cannot be written for another reason keeps its own words, and the old file stays."""
    whole = dataset(tmp_path, "t.json")
    whole.save({"a": 1})
    with pytest.raises(DatasetError, match="not JSON serializable"):
        whole.save({"a": object()})
    assert whole.load() == {"a": 1}


def test_versions_are_kept_and_found(tmp_path: Path) -> None:
    """Each version is a folder, the newest is loaded, and one that was never finished is none."""
    for name in ("2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"):
        dataset(tmp_path, "t.json", Version(None, name)).save({"version": name})
    (tmp_path / "t.json" / "2026-01-03T00.00.00.000Z").mkdir()
    newest = dataset(tmp_path, "t.json", Version(None, None))
    assert newest.exists()
    assert newest.load() == {"version": "2026-01-02T00.00.00.000Z"}
    first = dataset(tmp_path, "t.json", Version("2026-01-01T00.00.00.000Z", None))
    assert first.load() == {"version": "2026-01-01T00.00.00.000Z"}
    assert not dataset(tmp_path, "t.csv", Version(None, None)).exists()
    with pytest.raises(DatasetError, match="must not exist if versioning"):
        dataset(tmp_path, "t.json", Version(None, "2026-01-01T00.00.00.000Z")).save({})


@pytest.mark.parametrize(
    ("name", "preview"),
    [
        ("t.csv", "TablePreview"),
        ("t.json", "JSONPreview"),
        ("t.png", "ImagePreview"),
        ("t_plot.json", "PlotlyPreview"),
        ("t.html", None),
    ],
)
def test_kedro_viz_previews_as_before(tmp_path: Path, name: str, preview: str | None) -> None:
    """The preview is the inner dataset's, under its type, which Kedro-Viz reads from the method."""
    versioned = dataset(tmp_path, name, Version(None, "2026-01-01T00.00.00.000Z"))
    assert hasattr(versioned, "preview") == (preview is not None)  # also before anything was saved
    if preview is not None:
        versioned.save(KINDS[name][1](40))
        annotation = inspect.signature(versioned.preview).return_annotation
        assert getattr(annotation, "__name__", str(annotation)).endswith(preview)
        assert versioned.preview()


def test_a_pattern_of_the_catalog_makes_one(tmp_path: Path) -> None:
    """A dataset factory resolves its name, versions and location as for any other dataset."""
    entry = {
        "type": "portrait_pipeline.datasets.whole.WholeFileDataset",
        "filepath": f"{tmp_path}/{{model}}.json",
        "versioned": True,
        "dataset": {"type": "json.JSONDataset"},
    }
    catalog = DataCatalog.from_config({"{model}_summary": entry})
    catalog.save("proposed_summary", {"n": 1})
    path = location(catalog, "proposed_summary")
    assert path is not None
    assert path.is_relative_to(tmp_path / "proposed.json")
    assert path.is_file()
    assert catalog.load("proposed_summary") == {"n": 1}
    copied: Any = catalog.get("proposed_summary")._copy()  # type: ignore[union-attr]
    assert copied.load() == {"n": 1}


def test_a_path_inside_is_refused() -> None:
    """The wrapper alone knows the path and the version."""
    for key in ("filepath", "versioned"):
        with pytest.raises(PortraitPipelineError, match=f"{key} stands inside dataset"):
            WholeFileDataset(filepath="a", dataset={"type": "json.JSONDataset", key: "b"})


def test_every_file_of_the_catalog_is_whole() -> None:
    """No entry of the catalog writes a file in any other way than whole."""
    own = "portrait_pipeline.datasets."
    for file in CATALOGS:
        for name, entry in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            if not name.startswith("_"):
                assert entry["type"].startswith(own) or entry["type"] == "MemoryDataset", name


def test_tables_have_one_setting() -> None:
    """Every CSV file of the catalog has the one table dataset, those of shards its lazy form."""
    for file in CATALOGS:
        for name, entry in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            if isinstance(entry, dict) and str(entry.get("filepath")).endswith(".csv"):
                assert entry["dataset"] == (STORED if "{shard}" in name else TABLE), name
