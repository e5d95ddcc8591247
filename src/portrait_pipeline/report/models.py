"""Labels of models and controls in the tables, and why a number of theirs is missing."""

from portrait_pipeline.report.measures import Measure

MODEL_LABELS = {
    "baseline": "Baseline",
    "proposed": "Proposed",
    "shipped_model": "Model of the package",
    "painted_twin": "Painted twin (truth)",
    "photo_itself": "Photo itself",
    "shuffled_pairs": "Shuffled pairs (chance)",
    "recoloured_photos": "Photos with a painting's palette",
    "filter_fine": "Fine filter and palette",
    "filter_medium": "Medium filter and palette",
    "filter_coarse": "Coarse filter and palette",
    "blurred_photos": "Blurred photos",
    "grainy_photos": "Grainy photos",
    "darkened_photos": "Darkened photos",
    "swapped_faces": "Photos with another's inner face",
    "real_paintings": "Real paintings",
    "baseline_reconstruction": "Baseline, reconstruction",
    "proposed_reconstruction": "Proposed, reconstruction",
}


def model_label(model: str) -> str:
    """Name a row of `comparison` or `lambda_table` for a reader."""
    return MODEL_LABELS.get(model, model.replace("_", " ").capitalize())


def family_of(model: str) -> str:
    """Return the model that a training is a seed of; the first seed has the model's own name."""
    return model.partition("_seed_")[0]


def why_not_measured(measure: Measure, model: str) -> str:
    """Say why a number is missing for one model or control."""
    match model:
        case "real_paintings" if measure.pairs_with_photo:
            return "a real painting has no photo of its own"
        case "blurred_photos" | "grainy_photos" | "darkened_photos" if (
            measure.key != "deception_rate"
        ):
            return "these photos are shown to the classifier only"
        case "shuffled_pairs" if not measure.pairs_with_photo:
            return "shuffled pairs are the same set of pictures"
        case _:
            return measure.why_missing
