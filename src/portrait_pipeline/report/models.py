"""Labels of models and controls in the tables, and why a number of theirs is missing."""

from portrait_pipeline.report.measures import Measure

MODEL_LABELS = {
    "baseline": "Baseline",
    "proposed": "Proposed",
    "painted_twin": "Painted twin (truth)",
    "photo_itself": "Photo itself",
    "shuffled_pairs": "Shuffled pairs (chance)",
    "real_paintings": "Real paintings",
    "baseline_reconstruction": "Baseline, reconstruction",
    "proposed_reconstruction": "Proposed, reconstruction",
}


def model_label(model: str) -> str:
    """Name a row of `comparison` or `lambda_table` for a reader."""
    return MODEL_LABELS.get(model, model.replace("_", " ").capitalize())


def why_not_measured(measure: Measure, model: str) -> str:
    """Say why a number is missing for one model or control."""
    match model:
        case "real_paintings" if measure.pairs_with_photo:
            return "a real painting has no photo of its own"
        case "shuffled_pairs" if not measure.pairs_with_photo:
            return "shuffled pairs are the same set of pictures"
        case _:
            return measure.why_missing
