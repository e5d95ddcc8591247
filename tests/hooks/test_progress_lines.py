"""What a run tells its terminal."""

from pathlib import Path

import pandas as pd
import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset, Version
from kedro.pipeline import node, pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.pandas import CSVDataset

from portrait_pipeline.hooks.progress_lines import ProgressLines, next_commands, shown_table


def hand_on(value: pd.DataFrame) -> pd.DataFrame:
    """Do nothing."""
    return value


def test_stages_are_counted_and_what_is_handed_on_is_silent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for each node whose result is kept, one with where it lies, none for the others."""
    kept = CSVDataset(filepath=str(tmp_path / "kept.csv"), version=Version(None, "1"))
    catalog = DataCatalog({"start": MemoryDataset(1), "kept": kept})
    nodes = [
        node(hand_on, "start", "between", name="hand_on"),
        node(hand_on, "between", "kept", name="train_model", namespace="model"),
    ]
    terminal = ProgressLines()
    with caplog.at_level("INFO"):
        terminal.before_pipeline_run({}, pipeline(nodes), catalog)
        for each in nodes:
            terminal.before_node_run(each, catalog)
            assert not [line for line in caplog.messages if "→" in line]
            for name in each.outputs:
                terminal.after_dataset_saved(name, each)
    assert caplog.messages == ["[1/1] train model (model)", f"        → {tmp_path}/kept.csv"]


@pytest.mark.parametrize(
    ("namespace", "shown"),
    [
        (None, "make"),
        ("ingestion", "make"),
        ("tuning", "make"),
        ("baseline", "make (baseline)"),
        ("tuning.lambda_1", "make (lambda_1)"),
        ("ingestion.photo_0001", "make (photo_0001)"),
    ],
)
def test_a_stage_names_its_model_and_not_the_part_of_the_pipeline(
    namespace: str | None, shown: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Namespaces that only group the nodes in Kedro-Viz are not shown."""
    catalog = DataCatalog({"kept": CSVDataset(filepath=str(tmp_path / "kept.csv"))})
    one = node(hand_on, "start", "kept", name="make", namespace=namespace)
    terminal = ProgressLines()
    with caplog.at_level("INFO"):
        terminal.before_pipeline_run({}, pipeline([one]), catalog)
        terminal.before_node_run(one, catalog)
    assert caplog.messages == [f"[1/1] {shown}"]


@pytest.mark.parametrize("num_there", [0, 1, 2, 3])
def test_results_that_are_there_are_no_stages(
    num_there: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With `--only-missing-outputs` the last number that is shown is the number of stages."""
    names = ["first", "second", "third"]
    kept = {name: CSVDataset(filepath=str(tmp_path / f"{name}.csv")) for name in names}
    catalog = DataCatalog({"start": MemoryDataset(pd.DataFrame({"a": [1]})), **kept})
    for name in names[:num_there]:
        catalog.save(name, pd.DataFrame({"a": [1]}))
    steps = zip(["start", *names], names, strict=False)
    chain = pipeline([node(hand_on, given, made, name=f"make_{made}") for given, made in steps])
    terminal = ProgressLines()
    plugins = _create_hook_manager()
    plugins.register(terminal)
    terminal.before_pipeline_run({"only_missing_outputs": True}, chain, catalog)
    with caplog.at_level("INFO", logger="portrait_pipeline"):
        SequentialRunner().run(chain, catalog, plugins, only_missing_outputs=True)
    terminal.after_pipeline_run({}, catalog)
    said = [line for line in caplog.messages if line.startswith("[")]
    total = len(names) - num_there
    assert [line.split("]")[0] for line in said] == [f"[{i + 1}/{total}" for i in range(total)]
    assert ("nothing to do: every result is there already" in caplog.messages) is (total == 0)


def test_the_commands_to_type_next_fit_a_terminal_and_name_the_environment() -> None:
    """Three lines, with the environment and the workspace in which the run was made."""
    made = {"env": "sample", "runtime_params": {"workspace": "mine"}}
    lines = next_commands(made).splitlines()
    assert len(lines) == 3
    assert all("--env=sample" in line for line in lines)
    assert "--workspace=mine" in lines[2]
    assert "--env" not in next_commands({})
    assert max(map(len, next_commands({"env": "sample"}).splitlines())) <= 80


def test_a_row_without_any_number_is_left_out_of_the_table() -> None:
    """Controls that have none of the shown measures, as altered photographs."""
    table = pd.DataFrame({"model": ["a", "blurred_photos"], "ssim": [0.5, None]})
    assert "blurred_photos" not in shown_table(table)
    assert len(shown_table(table).splitlines()) == 2


def test_the_table_shows_few_columns_and_a_dash_for_what_is_missing() -> None:
    """A person sees model, λ_p and the telling numbers."""
    table = pd.DataFrame(
        {
            "model": ["a", "b"],
            "ssim": [0.5, None],
            "swd": [None, 3.0],
            "ssim_low": [0.4, None],
            "epochs": [1, 2],
        }
    )
    lines = [line.split() for line in shown_table(table).splitlines()]
    assert lines == [["model", "SWD", "SSIM"], ["a", "–", "0.500"], ["b", "3.000", "–"]]
    marked = shown_table(table.assign(chosen=[False, True])).splitlines()
    assert [line.endswith("← chosen") for line in marked] == [False, False, True]


def test_seven_columns_fit_a_terminal_however_long_a_name_is() -> None:
    """Law: no line of a table with every measure is longer than 80 characters."""
    names = [
        "baseline",
        "proposed_seed_1_reconstruction",
        "a_model_with_a_name_of_forty_characters_",
    ]
    numbers = {"lambda_perceptual": 0.25, "identity_similarity": -0.123, "rank_1": 0.975}
    numbers |= {
        "kid": 148.123,
        "swd": 2001.242,
        "ssim": -0.123,
        "ssim_as_published": 0.98,
        "n": 199,
    }
    table = pd.DataFrame([{"model": name, **numbers} for name in names])
    lines = shown_table(table).splitlines()
    assert len(lines[0].split()) == 7
    assert max(len(line) for line in lines) <= 80


def test_a_run_with_nothing_to_do_shows_no_tables(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Only what this run saved is shown at its end, as with `--only-missing-outputs`."""
    kept = CSVDataset(filepath=str(tmp_path / "kept.csv"))
    kept.save(pd.DataFrame({"model": ["a"], "ssim": [0.5]}))
    catalog = DataCatalog({"comparison": kept, "start": MemoryDataset(1)})
    terminal = ProgressLines()
    with caplog.at_level("INFO"):
        terminal.before_pipeline_run({}, pipeline([node(hand_on, "start", "comparison")]), catalog)
        terminal.after_pipeline_run({}, catalog)
    assert caplog.messages == ["nothing to do: every result is there already"]


def test_a_result_is_announced_when_the_last_output_is_saved(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A save that fails is never announced as done before."""
    names = ["a", "b"]
    kept = {name: CSVDataset(filepath=str(tmp_path / f"{name}.csv")) for name in names}
    catalog, terminal = DataCatalog({**kept, "start": MemoryDataset(1)}), ProgressLines()
    both = node(lambda start: (start, start), "start", names, name="both")
    with caplog.at_level("INFO"):
        terminal.before_pipeline_run({}, pipeline([both]), catalog)
        terminal.before_node_run(both, catalog)
        terminal.after_dataset_saved("a", both)
        assert "→" not in caplog.text
        terminal.after_dataset_saved("b", both)
    assert caplog.messages == [
        "[1/1] both",
        f"        → {tmp_path}/a.csv",
        f"        → {tmp_path}/b.csv",
    ]
