"""The pipelines by the names that people type."""

from functools import reduce
from operator import add

from kedro.pipeline import Pipeline

from portrait_pipeline.pipelines import (
    evaluation,
    ingestion,
    portraits,
    reporting,
    training,
    tuning,
)

# Report, section 5.3, and a wider grid to search for the useful weights.
LAMBDA_GRID = (1.0, 5.0, 10.0)
WIDE_LAMBDA_GRID = (0.1, 0.5, 1.0, 5.0, 10.0)
# What stands in for a fixed λ_p: the share of the gradient that the perceptual term keeps.
SHARE_GRID = (0.25, 0.5, 0.75)


def register_pipelines() -> dict[str, Pipeline]:
    """Compose the modular pipelines into those that are run.

    `__default__` is the whole report in order; there the λ_p that `tune` chose trains the proposed
    model, whereas `train_proposed` alone takes it from the parameters.
    """
    ingest = ingestion.create_pipeline()
    train_baseline = training.create_baseline()
    train_proposed = training.create_proposed()
    tune = _tune(LAMBDA_GRID)
    evaluate = evaluation.create_pipeline()
    report = reporting.create_pipeline()
    return {
        "ingest": ingest,
        "train_baseline": train_baseline,
        "tune": tune,
        "tune_wide": _tune(WIDE_LAMBDA_GRID),
        "tune_share": _try_shares(SHARE_GRID),
        "train_proposed": training.create_lambda_from_parameters() + train_proposed,
        "evaluate": evaluate,
        "report": report,
        "portraits": portraits.create_pipeline(),
        "export": portraits.create_export(),
        "__default__": reduce(
            add, [ingest, train_baseline, tune, train_proposed, evaluate, report]
        ),
    }


def _tune(grid: tuple[float, ...]) -> Pipeline:
    """One training and one scoring per λ_p, one of each for λ_p = 0, and the choice."""
    weights = {_name("lambda", weight): weight for weight in grid}
    trained = [training.create_tuning(name, weight) for name, weight in weights.items()]
    scored = [evaluation.create_scoring(name, "validation") for name in ("lambda_0", *weights)]
    lambda_0 = training.create_tuning("lambda_0")
    return reduce(add, [lambda_0, *trained, *scored, tuning.create_pipeline(tuple(weights))])


def _try_shares(grid: tuple[float, ...]) -> Pipeline:
    """One training and one scoring per share, and their table, to set beside that of λ_p."""
    shares = {_name("share", share): share for share in grid}
    trained = [
        training.create_tuning(name, perceptual_gradient_share=share)
        for name, share in shares.items()
    ]
    scored = [evaluation.create_scoring(name, "validation") for name in shares]
    return reduce(add, [*trained, *scored, tuning.create_share_pipeline(tuple(shares))])


def _name(kind: str, weight: float) -> str:
    return f"{kind}_{weight:g}".replace(".", "_")
