"""One door: each source ends in the same table."""

import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import Domain, PictureSourceParameters, SampleParameters
from portrait_pipeline.sources import check_source, fetch, fetch_pictures, kaggle
from portrait_pipeline.sources.files import COLUMNS, picture_table

SAMPLE = SampleParameters(num_photos=2, num_paintings=2, picture_size_px=64, seed=1)


def make_folder(folder: Path) -> Path:
    """Make a folder of three files."""
    folder.mkdir()
    for name in ("c.png", "a.png", "b.png"):
        (folder / name).write_bytes(b"x")
    return folder


def test_folder(tmp_path: Path) -> None:
    """A folder given wins; `max_pictures` keeps the first by name; nothing is copied."""
    source = PictureSourceParameters(
        source="sample", folder=str(make_folder(tmp_path / "mine")), max_pictures=2
    )
    table = fetch_pictures(source, SAMPLE, "photo", tmp_path / "raw")
    assert list(table["name"]) == ["a.png", "b.png"]
    assert tuple(table.columns) == COLUMNS
    assert not (tmp_path / "raw").exists()


def test_archive(tmp_path: Path) -> None:
    """An archive is unpacked below the raw folder."""
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as file:
        file.writestr("one/a.png", b"x")
    source = PictureSourceParameters(source="archive", archive=str(tmp_path / "mine.zip"))
    table = fetch_pictures(source, SAMPLE, "painting", tmp_path / "raw")
    assert list(table["name"]) == ["one/a.png"]
    assert Path(table["path"][0]).is_relative_to(tmp_path / "raw")


def test_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample is drawn below the raw folder, by its own parameters."""

    def draw(sample: SampleParameters, domain: str, folder: Path) -> pd.DataFrame:
        return picture_table([{"name": f"{domain} {sample.seed}", "path": str(folder)}])

    monkeypatch.setattr(fetch, "draw_sample", draw)
    table = fetch_pictures(PictureSourceParameters(source="sample"), SAMPLE, "photo", tmp_path)
    assert list(table.loc[0, ["name", "path"]]) == ["photo 1", str(tmp_path / "sample")]


def test_an_unknown_source(tmp_path: Path) -> None:
    """A source that passed no validation is refused, not ignored."""
    source = PictureSourceParameters.model_construct(source="flickr")
    with pytest.raises(PortraitPipelineError, match="'flickr' is unknown"):
        fetch_pictures(source, SAMPLE, "photo", tmp_path)


@pytest.mark.parametrize("name", ["folder", "kaggle", "archive"])
@pytest.mark.parametrize("domain", ["photo", "painting"])
def test_a_source_without_an_address(name: Any, domain: Domain, tmp_path: Path) -> None:
    """It is refused before the run and by the node, with the parameters that give one."""
    source = PictureSourceParameters(source=name)
    words = f"{domain}s: .*'{name}'.* lacks its address.*photos_folder=DIR,paintings_folder=DIR"
    with pytest.raises(PortraitPipelineError, match=words):
        check_source(source, domain)
    with pytest.raises(PortraitPipelineError, match=words):
        fetch_pictures(source, SAMPLE, domain, tmp_path)


def test_kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data set named is the one fetched."""
    folder = make_folder(tmp_path / "set")
    monkeypatch.setattr(kaggle, "fetch_kaggle", lambda name, *_: folder if name == "o/n" else None)
    source = PictureSourceParameters(source="kaggle", kaggle_dataset="o/n")
    assert len(fetch_pictures(source, SAMPLE, "photo", tmp_path / "raw")) == 3


def test_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The museum is asked for the query, and for no more pictures than wanted."""

    def museum(query: str, max_pictures: int, folder: Path, hint: str) -> pd.DataFrame:
        return picture_table([{"name": f"{query} {max_pictures}", "path": str(folder)}])

    monkeypatch.setattr(fetch, "fetch_met", museum)
    source = PictureSourceParameters(source="met", met_query="lady", max_pictures=5)
    table = fetch_pictures(source, SAMPLE, "painting", tmp_path)
    assert list(table.loc[0, ["name", "path"]]) == ["lady 5", str(tmp_path / "met")]


@pytest.mark.parametrize(("domain", "command"), [("photo", "photos"), ("painting", "paintings")])
def test_a_missing_folder_names_its_own_command(domain, command, tmp_path: Path) -> None:
    """The sentence ends with the parameter of the domain that lacks its pictures."""
    source = PictureSourceParameters(source="folder", folder=str(tmp_path / "none"))
    with pytest.raises(PortraitPipelineError, match=f"none is not there.*{command}_folder=DIR"):
        fetch_pictures(source, SAMPLE, domain, tmp_path)
