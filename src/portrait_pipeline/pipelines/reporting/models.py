"""What the rows of the tables are called: models and controls."""

MODEL_LABELS = {
    "baseline": "Baseline",
    "proposed": "Proposed",
    "painted_twin": "Painted twin (truth)",
    "photo_itself": "Photo itself",
    "shuffled_pairs": "Shuffled pairs (chance)",
    "real_paintings": "Real paintings",
    "baseline_reconstruction": "Baseline, there and back",
    "proposed_reconstruction": "Proposed, there and back",
}


def model_label(model: str) -> str:
    """Name a row of `comparison` or `lambda_table` for a reader."""
    return MODEL_LABELS.get(model, model.replace("_", " ").capitalize())
