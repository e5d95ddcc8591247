"""Stand-ins for everything the report reads; every number here is invented for the tests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from portrait_pipeline.images import FaceSet
from portrait_pipeline.pipelines.reporting.pipeline import create_pipeline
from portrait_pipeline.report.measures import MEASURES
from portrait_pipeline.scoring.model_tables import DIFFERENCE_COLUMNS, tabulate_seeds

HOSTILE = "<img src=x onerror=alert(1)>&\"'</script>.jpg"
NUM_TEST = 40
SIZE_PX = 64
FACE_SETS = (
    "photo_faces",
    "painting_faces",
    "twin_faces",
    "baseline_portraits",
    "proposed_portraits",
)

# model: (mean similarity, distance to paintings); NaN where a control has no such number
INVENTED = {
    "baseline": (0.14, 0.031),
    "proposed": (0.47, 0.033),
    "photo_itself": (1.0, 0.092),
    "shuffled_pairs": (0.02, np.nan),
    "painted_twin": (0.61, 0.018),
    "real_paintings": (np.nan, 0.006),
    "baseline_reconstruction": (0.71, 0.090),
    "proposed_reconstruction": (0.78, 0.089),
}


@dataclass(frozen=True)
class Inputs:
    """All datasets that the pipeline reads, by name."""

    datasets: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.datasets[name]

    def but(self, **changed: Any) -> dict[str, Any]:
        """Return all datasets, some of them replaced."""
        return {**self.datasets, **changed}


def invent_faces(names: list[str], seed: int, tint: tuple[float, float, float]) -> FaceSet:
    """Draw an oval on a gradient for each name."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : SIZE_PX * 1j, -1 : 1 : SIZE_PX * 1j]
    pixels = np.empty((len(names), SIZE_PX, SIZE_PX, 3), np.uint8)
    for index in range(len(names)):
        width, height, light = generator.uniform((0.45, 0.6, 0.2), (0.6, 0.8, 0.5))
        oval = 1.0 / (1.0 + np.exp(24 * ((x / width) ** 2 + (y / height) ** 2 - 1)))
        shade = 0.35 + 0.25 * y + oval * (0.35 + light * x * 0.4)
        colours = np.clip(shade[..., None] * np.array(tint), 0, 1)
        pixels[index] = (255 * colours).astype(np.uint8)
    return FaceSet(names=tuple(names), pixels=pixels)


def _row(model: str, similarity: float, distance: float, weight: float) -> dict[str, Any]:
    is_set = not np.isnan(distance)
    paired = not np.isnan(similarity)
    values = {
        "identity_similarity": similarity,
        "rank_1": np.clip(similarity * 1.2, 0, 1),
        "rank_5": np.clip(similarity * 1.4, 0, 1),
        "true_accept_rate": np.clip(similarity * 1.1, 0, 1),
        "landmark_error": 0.2 * (1 - similarity),
        "face_found_share": 0.9 if paired else np.nan,
        "teacher_similarity": np.clip(similarity + 0.2, 0, 1),
        "swd": distance,
        **dict.fromkeys(("kid", "kid_early", "kid_inception", "deception_rate", "lpips"), np.nan),
        "ssim": 0.2 + 0.8 * similarity**2,
        "ssim_as_published": 0.975 + 0.025 * similarity,
        "reconstruction_l1": 0.11 if weight >= 0 else np.nan,
        "reconstruction_psnr": 21.3 if weight >= 0 else np.nan,
        "luminance_correlation": 0.8 if paired else np.nan,
        "diversity": 0.21 if is_set else np.nan,
    }
    row: dict[str, Any] = {
        "model": model,
        "lambda_perceptual": weight,
        "epochs": 10,
        "n": NUM_TEST,
        "judge": "facenet",
        "teacher": "dlib",
    }
    for measure in MEASURES:
        value = float(values[measure.key])
        spread = 0.0 if value == 1.0 else 0.08 * abs(value)
        row |= {
            measure.key: value,
            f"{measure.key}_low": value - spread,
            f"{measure.key}_high": min(value + spread, 1.0) if value <= 1.0 else value + spread,
        }
    return row


def invent_comparison() -> pd.DataFrame:
    """Invent the test table with all controls."""
    weights = {"baseline": 0.0, "proposed": 1.0}
    rows = [
        _row(model, *numbers, weights.get(model, np.nan)) for model, numbers in INVENTED.items()
    ]
    return pd.DataFrame(rows)


def invent_spread() -> pd.DataFrame:
    """Invent the scores of the last three checkpoints of both models."""
    columns = ["model", "epoch", "n", "ssim", "identity_similarity", "rank_1", "swd"]
    rows = [
        [model, epoch, NUM_TEST, 0.3 + 0.01 * epoch, similarity, similarity, 0.03]
        for model, similarity in (("baseline", 0.14), ("proposed", 0.47))
        for epoch in (10, 11, 12)
    ]
    return pd.DataFrame(rows, columns=columns)


def invent_lambda_table() -> pd.DataFrame:
    """Invent the tuning table."""
    points = {0.0: (0.12, 0.034), 1.0: (0.44, 0.035), 5.0: (0.38, 0.047), 10.0: (0.3, 0.06)}
    rows = [_row(f"lambda_{weight:g}", *numbers, weight) for weight, numbers in points.items()]
    return pd.DataFrame(rows).assign(chosen=[weight == 1.0 for weight in points], rule="pareto")


def invent_history(weight: float, epochs: int = 12) -> pd.DataFrame:
    """Invent the history of one training."""
    t = np.arange(1, epochs + 1, dtype=float)
    perceptual = 1.2 * np.exp(-t / 8) + 0.5 if weight else np.zeros_like(t)
    return pd.DataFrame(
        {
            "epoch": t.astype(int),
            "step": (t * 100).astype(int),
            "adversarial_loss_photo": 0.4 + 0.2 * np.sin(t + weight),
            "adversarial_loss_painting": 0.35 + 0.15 * np.cos(t + weight),
            "adversarial_loss": 0.75 + 0.2 * np.sin(t) + 0.15 * np.cos(t),
            "cycle_consistency_loss": (0.6 + 0.1 * weight) * np.exp(-t / 6) + 0.2,
            "perceptual_loss": perceptual,
            "discriminator_loss_photo": 0.25 + 0.02 * np.sin(2 * t + weight),
            "discriminator_loss_painting": 0.24 + 0.02 * np.cos(2 * t + weight),
            "weighted_perceptual_loss": weight * perceptual,
            "perceptual_loss_share": weight * perceptual / (weight * perceptual + 4.0),
            "perceptual_gradient_share": weight * perceptual / (weight * perceptual + 7.0),
            "validation_ssim": np.where(t % 3 == 0, 0.3 + (0.01 - 0.004 * weight) * t, np.nan),
            "validation_identity_similarity": np.where(t % 3 == 0, 0.1 + 0.03 * weight * t, np.nan),
        }
    )


def invent_scores(names: list[str], mean: float, seed: int) -> pd.DataFrame:
    """Invent the per-picture scores of one model."""
    generator = np.random.default_rng(seed)
    similarity = np.clip(generator.normal(mean, 0.15, len(names)), -1, 1)
    return pd.DataFrame(
        {
            "name": names,
            "ssim": generator.uniform(0.2, 0.5, len(names)),
            "judge_similarity": similarity,
            "landmark_error": generator.uniform(0.02, 0.2, len(names)),
            "face_found": generator.random(len(names)) > 0.1,
        }
    )


def invent_audit(names: list[str], left_out: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """Invent the audit of both domains; `left_out` gives reason and path of some photos."""
    generator = np.random.default_rng(9)
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "domain": domain,
            "path": f"{name}",
            "kept": True,
            "reason": None,
            "probability": 1.0 - 0.1 * generator.random() ** 4,
            "box_left": 10.0,
            "box_top": 10.0,
            "box_right": 80.0 + generator.normal(60, 20),
            "box_bottom": 90.0,
        }
        for domain in ("photo", "painting")
        for name in names
    ]
    rows += [
        {
            "name": f"out/{name}",
            "domain": "photo",
            "path": path,
            "kept": False,
            "reason": reason,
            "duplicate_of": HOSTILE if reason == "duplicate" else None,
        }
        for name, (reason, path) in left_out.items()
    ]
    return pd.DataFrame(rows)


def run_nodes(datasets: dict[str, Any]) -> dict[str, Any]:
    """Run the pipeline's nodes in order without a catalog; return what they wrote."""
    known = dict(datasets)
    models = {name: name for name in ("baseline", "proposed")}
    for node in create_pipeline(models, has_tuning="lambda_table" in datasets).nodes:
        known |= node.run({name: known[name] for name in node.inputs})
    return {name: value for name, value in known.items() if name not in datasets}


def _ingested(names: list[str], folder: Path) -> dict[str, Any]:
    """Invent audit and summary; two of the source files are written below `folder`."""
    Image.new("RGB", (90, 120), (120, 90, 60)).save(folder / "left_out.jpg")
    (folder / "broken.jpg").write_bytes(b"no picture")
    left_out = [(HOSTILE, "no face"), ("broken.jpg", "unreadable"), ("b.jpg", "duplicate")]
    files = {"no face": "left_out.jpg", "unreadable": "broken.jpg", "duplicate": "left_out.jpg"}
    splits = {"train": 0, "validation": 0, "test": NUM_TEST}
    return {
        "ingestion_audit": invent_audit(
            names, {n: (r, str(folder / files[r])) for n, r in left_out}
        ),
        "ingestion_summary": {
            "photo": {
                "files": NUM_TEST + 3,
                "kept": NUM_TEST,
                "left_out": {"no face": 1, "unreadable": 1, "duplicate": 1},
                "splits": splits,
            },
            "painting": {"files": NUM_TEST, "kept": NUM_TEST, "left_out": {}, "splits": splits},
        },
    }


RUN_FACTS = {
    "created": "2026-01-01 12:00",
    "commit": "0123abc",
    "data_hash": "f00d",
    "settings": {
        "train_proposed.teacher": "dlib",
        "train_proposed.perceptual_reduction": "sum",
        "train_proposed.num_epochs": 12,
    },
    "seeds": {"train": 7},
    "versions": {"torch": "2.14.1"},
}
RUN_LOG = {
    "durations": {"ingest": 33.2, "train_baseline": 4000.0, "draw_figure_1": 0.3},
    "commands": {"__default__": "kedro run --env=sample"},
}
REPORT_LINKS = {
    "this run in MLflow": "http://127.0.0.1:5000/#/experiments/1/runs/0123abc",
    "tables and plots": "./",
    "portraits": "../../07_model_output/mine/",
}
CHOSEN_LAMBDA = {
    "lambda_perceptual": 1.0,
    "rule": "pareto",
    "reason": "It keeps identity best at a distance at most 10 % worse.",
    "other_rule_choice": 5.0,
}
CONCLUSION = [
    "The proposed model keeps the person better: same-person similarity rises by"
    " 0.33 [0.29, 0.37] over 40 test photos."
]

DIFFERENCES = pd.DataFrame(
    [
        ("proposed", "baseline", "identity_similarity", 0.33, 0.29, 0.37, 40, "So."),
        ("proposed", "baseline", "ssim", -0.01, -0.02, 0.003, 40, "So."),
    ],
    columns=[*DIFFERENCE_COLUMNS, "sentence"],
)


def invent_run(tmp_path: Path) -> Inputs:
    """Invent all inputs of the report; two source files are written below `tmp_path`."""
    names = [HOSTILE, *(f"photo_{index:03d}.jpg" for index in range(1, NUM_TEST))]
    return Inputs(
        {
            "comparison": invent_comparison(),
            "seed_summary": tabulate_seeds(
                invent_comparison(), {"baseline": "baseline", "proposed": "proposed"}
            ),
            "lambda_table": invent_lambda_table(),
            "chosen_lambda": CHOSEN_LAMBDA,
            "conclusion": CONCLUSION,
            **_ingested(names, tmp_path),
            "photo_faces": invent_faces(names, 0, (1.0, 0.85, 0.7)),
            "painting_faces": invent_faces(names, 1, (0.8, 0.65, 0.4)),
            "twin_faces": invent_faces(names, 2, (0.9, 0.7, 0.5)),
            "baseline_portraits": invent_faces(names, 3, (0.7, 0.6, 0.5)),
            "proposed_portraits": invent_faces(names, 4, (0.9, 0.6, 0.4)),
            "baseline_scores": invent_scores(names, 0.14, 5),
            "proposed_scores": invent_scores(names, 0.47, 6),
            "baseline_history": invent_history(0.0),
            "proposed_history": invent_history(1.0),
            "run_facts": RUN_FACTS,
            "run_log": RUN_LOG,
            "report_links": REPORT_LINKS,
            "checkpoint_spread": invent_spread(),
            "differences": DIFFERENCES,
        }
    )
