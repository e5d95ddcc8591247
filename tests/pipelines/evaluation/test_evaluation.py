"""What the evaluation says of a model, of its recent checkpoints and of the controls."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.stand_in_reference import NAMES, Counting, drawn, evaluation, make_reference
from support.tiny_model import PREPARATION, tiny_checkpoint

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import FaceParameters
from portrait_pipeline.pipelines.evaluation import nodes
from portrait_pipeline.portrayal.shipped import read_shipped
from portrait_pipeline.scoring.memoised import Memoised
from portrait_pipeline.scoring.provenance import describe_provenance, with_provenance
from portrait_pipeline.scoring.reference import Reference
from portrait_pipeline.scoring.table_rows import SPREAD

pytestmark = pytest.mark.usefixtures("few_directions")

EVERYWHERE = ("ssim", "ssim_as_published", "identity_similarity", "rank_1", "rank_5", "swd")


SPLITS = pd.DataFrame(
    [
        (f"{number}", "photo", split, f"{number:064x}", number)
        for number, split in enumerate(("train", "test"))
    ],
    columns=["name", "domain", "split", "content_hash", "person"],
)


class Run:
    """An MLflow run in memory."""

    def __init__(self) -> None:
        self.attached = ""
        self.logged: dict[str, float] = {}
        self.tags: list[tuple[str, str]] = []

    def attach(self, tracking_id: str) -> None:
        """Note the run."""
        self.attached = tracking_id

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Note the metrics."""
        self.logged |= dict(metrics)

    def add_to_tag(self, key: str, value: str) -> None:
        """Note the word."""
        self.tags.append((key, value))


def checkpoint_with_recent(model: str = "proposed") -> dict[str, Any]:
    """Keep three epochs beside the last; the newest of them is the last itself."""
    last = tiny_checkpoint(model, seed=3)
    kept = [
        {"epoch": epoch, "averaged_generators": tiny_checkpoint(seed=epoch)["averaged_generators"]}
        for epoch in (1, 2, 3)
    ]
    return {**last, "epoch": 3, "recent": kept, "best": {"value": 0.5, **kept[0]}}


def evaluated(
    reference: Reference, checkpoint: dict[str, Any], run: Run | None = None
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    made = nodes.translate_photos(reference, checkpoint, reference.settings, SPLITS)
    return nodes.score_model(reference, checkpoint, *made, run or Run())


def test_every_row_has_numbers_with_interval_and_count() -> None:
    """Baseline, proposed and every control that shows pictures of the photos: value, ends, N."""
    reference = make_reference(twins=FaceSet(NAMES, drawn(5)))
    summaries = [
        evaluated(reference, tiny_checkpoint(model, seed=seed))[1]
        for seed, model in enumerate(("baseline", "proposed"))
    ]
    table, _ = nodes.tabulate_comparison([], nodes.score_controls(reference), *summaries)
    assert table["model"].tolist() == [
        "baseline",
        "proposed",
        "baseline_reconstruction",
        "proposed_reconstruction",
        "photo_itself",
        "shuffled_pairs",
        "painted_twin",
        "recoloured_photos",
        "filter_fine",
        "filter_medium",
        "filter_coarse",
        "swapped_faces",
        "blurred_photos",
        "grainy_photos",
        "darkened_photos",
        "real_paintings",
    ]
    assert (table["n"] == len(NAMES)).all()
    shown_to_the_classifier = ["blurred_photos", "grainy_photos", "darkened_photos"]
    assert table["deception_rate"].notna().all()
    table = table[~table["model"].isin(shown_to_the_classifier)]
    paired = table[table["model"] != "real_paintings"]
    for name in EVERYWHERE:
        ends = paired[[f"{name}_low", name, f"{name}_high"]].to_numpy()
        assert np.isfinite(ends).all(), name
        assert (np.diff(ends, axis=1) >= -1e-9).all(), name
    assert table["swd"].notna().all()
    assert set(table["kid_inception_why"]) == {"no route to Inception"}
    assert set(table["lpips_why"]) == {"no route to AlexNet"}


def test_the_controls_bound_what_can_be_reached() -> None:
    """The photo itself is found at once; shuffled photos hardly ever; both are as far away."""
    rows = {row["model"]: row["metrics"] for row in nodes.score_controls(make_reference())}
    assert rows["photo_itself"]["ssim"]["value"] == pytest.approx(1.0)
    assert rows["photo_itself"]["rank_1"]["value"] == 1.0
    assert rows["shuffled_pairs"]["rank_1"]["value"] < 0.2
    itself, shuffled = (rows[name]["swd"]["value"] for name in ("photo_itself", "shuffled_pairs"))
    assert shuffled == pytest.approx(itself, rel=1e-6)  # the same sums in another order


def test_recent_checkpoints_are_scored_each_by_itself() -> None:
    """The table of checkpoints repeats what each would score alone, and the rows their span."""
    reference, checkpoint = make_reference(), checkpoint_with_recent()
    scores, summaries = evaluated(reference, checkpoint)
    table, spread = nodes.tabulate_comparison([], [], summaries)
    assert spread[["model", "epoch", "n"]].to_numpy().tolist() == [
        ["proposed", epoch, len(NAMES)] for epoch in (1, 2, 3)
    ]
    for epoch in (1, 2, 3):
        _, alone = evaluated(reference, tiny_checkpoint(seed=epoch))
        row = spread[spread["epoch"] == epoch].iloc[0]
        for name in SPREAD:
            assert row[name] == pytest.approx(alone[0]["metrics"][name]["value"]), name
    assert table["ssim_min"].iloc[0] == spread["ssim"].min()
    assert table["swd_max"].iloc[0] == spread["swd"].max()
    assert spread["ssim"].iloc[-1] == pytest.approx(scores["ssim"].mean())


def test_the_model_of_the_package_is_a_row(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After the models that were trained here; where it cannot be opened, a line says why."""
    audit = pd.DataFrame(
        {"name": NAMES, "domain": "photo", "perceptual_hash": [f"{n:016x}" for n in range(12)]}
    )
    shipped = replace(read_shipped(model_folder), training_photos=("f" * 16,))
    monkeypatch.setattr(nodes, "read_shipped", lambda: shipped)
    found = nodes.score_shipped_model(make_reference(), audit)
    _, summaries = evaluated(make_reference(), tiny_checkpoint())
    table, _ = nodes.tabulate_comparison(found, [], summaries)
    assert table["model"].tolist()[:2] == ["proposed", "shipped_model"]
    monkeypatch.setattr(nodes, "read_shipped", lambda: read_shipped(model_folder / "nowhere"))
    assert nodes.score_shipped_model(make_reference(), audit) == []
    assert "is missing" in caplog.text


def test_without_recent_checkpoints_there_is_an_empty_table() -> None:
    """Nothing was kept: no row, no column in the other table, nothing computed."""
    _, summaries = evaluated(make_reference(), tiny_checkpoint())
    table, spread = nodes.tabulate_comparison([], [], summaries)
    assert len(spread) == 0
    assert spread.columns.tolist() == ["model", "epoch", "n", *SPREAD]
    assert not [column for column in table if column.endswith(("_min", "_max"))]


def test_the_best_epoch_is_judged_when_asked_for() -> None:
    """With `checkpoint: best` the scores are those of the epoch that was kept as best."""
    best = make_reference(settings=evaluation(checkpoint="best"))
    _, summaries = evaluated(best, checkpoint_with_recent())
    _, alone = evaluated(make_reference(), tiny_checkpoint(seed=1))
    assert summaries[0]["epochs"] == 1
    assert summaries[0]["metrics"]["ssim"] == alone[0]["metrics"]["ssim"]


def test_a_best_epoch_that_was_not_kept_is_refused() -> None:
    """One sentence that names the setting which keeps it."""
    best = make_reference(settings=evaluation(checkpoint="best"))
    with pytest.raises(PortraitPipelineError, match=r"training\.selection_metric"):
        evaluated(best, {**tiny_checkpoint(), "best": None})


def test_test_numbers_go_into_the_models_own_run() -> None:
    """SSIM by its name; what depends on the number of pictures or on the judge carries it."""
    run = Run()
    _, summaries = evaluated(
        make_reference(), {**checkpoint_with_recent(), "tracking_id": "abc"}, run
    )
    assert run.attached == "abc"
    assert run.logged["test_ssim"] == summaries[0]["metrics"]["ssim"]["value"]
    assert {"test_swd_n12", "test_rank_1_min_n12_by_geometry", "test_ssim_max"} <= set(run.logged)
    assert run.tags == [("judge", "geometry")]


def test_a_second_judge_overwrites_nothing_of_the_first() -> None:
    """In one run: each judge's numbers under its name, everything else as it was."""
    logged: list[dict[str, float]] = []
    for judge in ("geometry", "faceres"):
        run = Run()
        checkpoint = {**checkpoint_with_recent(), "tracking_id": "abc"}
        evaluated(make_reference(judge_name=judge), checkpoint, run)
        logged.append(run.logged)
    first, second = logged
    assert all(first[name] == second[name] for name in set(first) & set(second))
    judged = {name for name in first if "identity" in name or "rank" in name or "accept" in name}
    assert judged
    assert not judged & set(second)


def test_no_picture_is_described_twice() -> None:
    """Photos, portraits and reconstructions once each, however many measures ask for them."""
    judge = Counting()
    reference = make_reference(judge=Memoised(judge, "judging"))
    evaluated(reference, tiny_checkpoint())
    nodes.score_controls(reference)
    seen = judge.seen
    assert 3 * len(NAMES) < seen <= 8 * len(NAMES)  # five controls are pictures of their own
    evaluated(reference, tiny_checkpoint())
    nodes.score_controls(reference)
    assert judge.seen == seen


@pytest.mark.parametrize("teacher", ["dlib", "faceres", "facenet"])
def test_a_judge_that_taught_the_checkpoint_is_refused(teacher: str) -> None:
    """The checkpoint says who taught it; what `training.teacher` says now does not matter."""
    checkpoint = tiny_checkpoint(teacher=teacher, lambda_perceptual=1.0)
    judged = evaluation(judge=teacher)
    with pytest.raises(PortraitPipelineError, match=f"teacher={teacher}"):
        nodes.translate_photos(make_reference(), checkpoint, judged, SPLITS)
    untaught = tiny_checkpoint(teacher=teacher, lambda_perceptual=0.0)
    nodes.translate_photos(make_reference(), untaught, judged, SPLITS)
    shared = tiny_checkpoint(teacher=teacher, perceptual_gradient_share=0.5)
    with pytest.raises(PortraitPipelineError, match=f"teacher={teacher}"):
        nodes.translate_photos(make_reference(), shared, judged, SPLITS)


def test_a_model_that_has_seen_the_test_pictures_is_not_judged() -> None:
    """The checkpoint says what it was trained on, by content; the splits say who is judged."""
    seen = SPLITS.assign(split="train")
    checkpoint = with_provenance(
        tiny_checkpoint("light"), describe_provenance(seen, FaceParameters(**PREPARATION))
    )
    with pytest.raises(PortraitPipelineError, match="light was trained on 1 of the test pictures"):
        nodes.translate_photos(make_reference(), checkpoint, evaluation(), SPLITS)


def test_several_seeds_are_summarised_and_compared_with_their_own_seed() -> None:
    """Mean and range over the seeds of a model; differences seed by seed, with intervals."""
    names = {"baseline": "baseline", "light": "light", "light_seed_1": "light"}
    found = {
        name: evaluated(make_reference(), {**tiny_checkpoint(name, seed=number), "model": name})
        for number, name in enumerate(names)
    }
    table, _ = nodes.tabulate_comparison([], [], *(summaries for _, summaries in found.values()))
    seeds = nodes.summary_over_seeds(names)(table).set_index("model")
    assert seeds["num_seeds"].to_dict() == {"baseline": 1, "light": 2}
    own = table.set_index("model").loc[["light", "light_seed_1"], "ssim"]
    assert seeds.loc["light", "ssim"] == pytest.approx(own.mean())
    assert seeds.loc["light", ["ssim_min", "ssim_max"]].tolist() == [own.min(), own.max()]
    compare = nodes.comparison_of(tuple(names), {"light": "baseline", "light_seed_1": "baseline"})
    differences, sentences = compare(evaluation(), *(scores for scores, _ in found.values()))
    assert [sentence for sentence in sentences if "light" in sentence] == []
    of_ssim = differences[differences["measure"] == "ssim"].set_index("model")
    for name in ("light", "light_seed_1"):
        row = of_ssim.loc[name]
        expected = found[name][0]["ssim"].mean() - found["baseline"][0]["ssim"].mean()
        assert row["difference"] == pytest.approx(expected)
        assert row["low"] <= row["difference"] <= row["high"]
        assert row["n"] == len(NAMES)


@pytest.mark.parametrize("compared", [{"proposed": "baseline"}, {"baseline": "proposed"}])
def test_the_conclusion_speaks_of_baseline_and_proposed(compared: dict[str, str]) -> None:
    """Whichever of the two the others are compared with."""
    found = {
        name: evaluated(make_reference(), {**tiny_checkpoint(name), "model": name})[0]
        for name in ("baseline", "proposed")
    }
    _, sentences = nodes.comparison_of(tuple(found), compared)(evaluation(), *found.values())
    assert sentences
    assert all("baseline" in sentence and "proposed" in sentence for sentence in sentences)
