"""The page of a study is made of its tables alone, and says the same when it is made again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from portrait_pipeline.datasets.table import TableDataset
from portrait_pipeline.report.results_page import TABLES, TUNING_TABLES, render_results

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
COMMAND = "kedro run --env=study"


def rows_of(page: str, title: str) -> list[list[str]]:
    """Read the rows of one table of the page."""
    section = page.split(f"## {title}\n")[1].split("## ", maxsplit=1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def numbers(**values: float) -> dict[str, float]:
    ends = {f"{name}_low": value - 0.01 for name, value in values.items()}
    return values | ends | {f"{name}_high": value + 0.01 for name, value in values.items()}


def invent_comparison() -> pd.DataFrame:
    facts = {"judge": "geometry", "teacher": "dlib", "n": 199}
    models = [("baseline", 0.0, 0), ("proposed", 0.5, 0), ("proposed_seed_1", 0.5, 1)]
    rows = [
        {"model": name, "lambda_perceptual": weight, "seed": seed, **facts}
        | numbers(rank_1=0.1 + weight, ssim=0.3 + seed / 10, swd=60.0 + weight)
        for name, weight, seed in models
    ]
    rest = {"lambda_perceptual": np.nan, "seed": np.nan, **facts} | numbers(rank_1=1.0, swd=59.0)
    others = {"shipped_model": 137, "photo_itself": 199}
    rows += [rest | {"model": name, "n": n} for name, n in others.items()]
    table = pd.DataFrame(rows)
    return table.assign(kid=np.nan, kid_why="no weights")


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    """Invent the tables of a study."""
    tuned = [{"lambda_perceptual": weight, **numbers(ssim=weight / 10)} for weight in (1.0, 5.0)]
    seeds = [("baseline", 1, 0.3, 0.3, 0.3), ("proposed", 2, 0.4, 0.3, 0.5)]
    differences = [("proposed", "baseline", "ssim", 0.05, 0.04, 0.06, 199, "So.")]
    compared = ["model", "compared_with", "measure", "difference", "low", "high", "n", "sentence"]
    return {
        "comparison": invent_comparison(),
        "seed_summary": pd.DataFrame(
            seeds, columns=["model", "num_seeds", "ssim", "ssim_min", "ssim_max"]
        ),
        "differences": pd.DataFrame(differences, columns=compared),
        "checkpoint_spread": pd.DataFrame(columns=["model", "epoch", "n", "ssim"]),
        "lambda_table": pd.DataFrame(tuned).assign(chosen=[True, False]),
        "share_table": pd.DataFrame(tuned).assign(perceptual_gradient_share=[0.25, 0.5]),
    }


def test_every_model_seed_and_control_has_its_row(tables: dict[str, pd.DataFrame]) -> None:
    """Numbers with intervals; a measure that nobody has makes no column, one missing a dash."""
    page = render_results(tables, COMMAND, "docs/results")
    person = rows_of(page, "Is it still the person?")
    assert [row[0] for row in person[2:]] == [
        "Baseline (λ_p 0, seed 0)",
        "Proposed (λ_p 0.5, seed 0)",
        "Proposed seed 1 (λ_p 0.5, seed 1)",
        "Model of the package (N = 137)",
        "Photo itself",
    ]
    assert "KID" not in page
    assert rows_of(page, "How alike are the pictures?")[2][1].startswith("0.3")
    assert "Photo itself" not in [row[0] for row in rows_of(page, "How alike are the pictures?")]
    assert COMMAND in page
    assert "N = 199" in page


def test_the_first_sentence_is_the_verdict(tables: dict[str, pd.DataFrame]) -> None:
    """What the photographs do as well stands before any table."""
    distances = [200.0, 150.0, 160.0, 145.0, 140.0]
    measured = tables | {"comparison": tables["comparison"].assign(kid=distances)}
    sentence = render_results(measured, COMMAND, "docs/results").split("\n\n")[1]
    assert sentence.startswith("No model paints")
    assert "photo itself (140" in sentence


def test_seeds_differences_and_tuning_are_said(tables: dict[str, pd.DataFrame]) -> None:
    """Only models of several seeds are summarised; the chosen λ_p is marked."""
    page = render_results(tables, COMMAND, "docs/results")
    seeds = rows_of(page, "Over the seeds of each model")
    assert [row[0] for row in seeds[2:]] == ["Proposed, 2 seeds"]
    assert "0.300 to 0.500" in seeds[2][1]
    assert rows_of(page, "Differences, picture by picture")[2][2:] == ["0.050", "0.040", "0.060"]
    assert [row[0] for row in rows_of(page, "Choosing λ_p, on validation photographs")[2:]] == [
        "λ_p 1, chosen",
        "λ_p 5",
    ]
    assert "The last epochs" not in page


def test_a_study_without_tuning_has_its_page(tables: dict[str, pd.DataFrame]) -> None:
    """What was not tuned has no section."""
    page = render_results({name: tables[name] for name in TABLES}, COMMAND, "docs/results")
    assert rows_of(page, "Differences, picture by picture")
    assert "Choosing λ_p" not in page
    assert "A kept share" not in page


def test_the_page_of_tables_that_were_kept_is_the_same(
    tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    """Law: tables go through their files and the page does not change by a letter."""
    kept = {}
    for name in (*TABLES, *TUNING_TABLES.values()):
        dataset = TableDataset(filepath=str(tmp_path / f"{name}.csv"))
        dataset.save(tables[name])
        kept[name] = dataset.load()
    assert render_results(kept, COMMAND, "a") == render_results(tables, COMMAND, "a")


@pytest.mark.parametrize("study", ["results", "results_long", "ablation"])
def test_the_page_in_the_documents_is_that_of_its_tables(study: str) -> None:
    """Whoever changes a table or the page by hand is found out."""
    env = {"results": "study", "results_long": "study_long", "ablation": "ablation"}[study]
    files = {file.stem: file for file in (DOCS / study).glob("*.csv")}
    if not files:
        pytest.skip(f"docs/{study} holds no tables; kedro run --env={env} writes them")
    tables = {name: TableDataset(filepath=str(file)).load() for name, file in files.items()}
    models = (ROOT / "conf" / env / "parameters_models.yml").read_text(encoding="utf-8")
    page = (DOCS / f"{study}.md").read_text(encoding="utf-8")
    assert render_results(tables, **yaml.safe_load(models)["publication"]) == page
