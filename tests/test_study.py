"""A study is one command, which trains nothing twice; so is the painter."""

import os
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image
from support.kedro_commands import copy_project, run_commands

from portrait_pipeline.datasets.table import TableDataset
from portrait_pipeline.report.results_page import TABLES, TUNING_TABLES, render_results
from portrait_pipeline.sample import draw_painting, draw_photo

NUM_PICTURES = 16
TINY = (
    "photos_folder=photos,paintings_folder=paintings,persons.max_distance=0.05,"
    "splits.num_train=8,splits.num_validation=4,splits.num_test=4,"
    "training.num_generator_filters=4,training.num_residual_blocks=1,"
    "training.num_discriminator_filters=4,training.num_validation_pictures=4,num_epochs=1,"
    "training.num_recent_averages=2,tuning.num_pairs=4,tuning.num_epochs=1,"
    "evaluation.num_bootstrap_samples=100"
)
SMALL = "faces.crop_size_px=64,faces.min_face_px=32,training.image_size_px=64"
# The study's own models and grids would take minutes: the same kinds, fewer of them.
MODELS = {
    "models": {
        "baseline": {"seeds": [0, 1]},
        "proposed": {
            "training": {"lambda_perceptual": 0.5},
            "lambda_from_tuning": False,
            "seeds": [0, 1],
        },
    },
    "grids": {"tune": [1], "tune_share": [0.5]},
}


def copy_with_pictures(folder: Path) -> Path:
    """Copy the project, with a folder of photographs and one of paintings."""
    project = copy_project(folder)
    for name in ("photos", "paintings"):
        (project / name).mkdir()
    for index in range(NUM_PICTURES):
        photo, painting = draw_photo(index, 0, 128).photo, draw_painting(index, 0, 128)
        Image.fromarray(photo).save(project / "photos" / f"{index}.png")
        Image.fromarray(painting).save(project / "paintings" / f"{index}.png")
    return project


@pytest.mark.slow
def test_a_study_is_one_command_and_a_second_one_trains_nothing(tmp_path: Path) -> None:
    """Tables and page are written; the page is that of its tables; no step is taken again."""
    project = copy_with_pictures(tmp_path / "project")
    file = project / "conf" / "study" / "parameters_models.yml"
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**settings, **MODELS}), encoding="utf-8")
    command = ["run", "--env=study", "--params", TINY]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    first, second = run_commands(project, [command, command], environment)
    assert first.code == 0, first.output
    assert second.code == 0, second.output
    assert "steps of" in first.output
    assert "steps of" not in second.output, "a model was trained again"
    folder = project / "docs" / "results"
    tables = {
        name: TableDataset(filepath=str(folder / f"{name}.csv")).load()
        for name in (*TABLES, *TUNING_TABLES.values())
    }
    seeds = tables["seed_summary"].set_index("model")["num_seeds"].to_dict()
    assert seeds == {"baseline": 2, "proposed": 2}
    compared: pd.DataFrame = tables["differences"][["model", "compared_with"]].drop_duplicates()
    assert compared.to_numpy().tolist() == [
        ["proposed", "baseline"],
        ["proposed_seed_1", "baseline_seed_1"],
    ]
    page = (project / "docs" / "results.md").read_text(encoding="utf-8")
    publication = yaml.safe_load(
        (project / "conf" / "study" / "parameters_models.yml").read_text(encoding="utf-8")
    )["publication"]
    assert render_results(tables, **publication) == page


@pytest.mark.slow
def test_the_painter_is_one_command(tmp_path: Path) -> None:
    """Where no stage tunes λ_p, the run ends with the page of both models."""
    project = copy_with_pictures(tmp_path / "project")
    command = ["run", "--env=painter", "--params", f"{TINY},{SMALL},training.num_decay_epochs=0"]
    (done,) = run_commands(project, [command], {**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.code == 0, done.output
    assert "report: data/08_reporting/painter/report.html" in done.output.splitlines()
