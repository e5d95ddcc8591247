"""Three sentences on the scale of the perceptual loss: sum or mean over an embedding."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from portrait_pipeline.report.curves import LOSS_SHARE, share_with_mean, share_with_sum
from portrait_pipeline.report.wording import write_share

EMBEDDING_DIMENSIONS = {
    "dlib": 128,
    "facenet": 512,
    "facenet-casia-webface": 512,
    "faceres": 1024,
}


def find_setting(run_facts: Mapping[str, Any], name: str, default: str) -> str:
    """Look up a setting of the proposed model by the end of its flattened name."""
    settings = {str(key): value for key, value in run_facts.get("settings", {}).items()}
    endings = [key for key in settings if key.split(".")[-1] == name]
    preferred = sorted(endings, key=lambda key: "proposed" not in key)
    return str(settings[preferred[0]]) if preferred else default


def explain_reduction(
    history: pd.DataFrame, dimensions: int, reduction: str
) -> tuple[str, str, str]:
    """Explain in three sentences how `mean` scales the loss, with the shares of this run."""
    first = (
        "Embeddings have length 1, so the squared distance of two of them, summed as the report's"
        " formula says, lies between 0 and 4 however many dimensions they have."
    )
    second = (
        "The report's notebooks took the mean over the 512 dimensions instead, which divides the"
        " term by 512: with λ_p = 5 it added about 0.02 to a generator loss of 4 to 6, and its"
        " gradient shrank by the same factor."
    )
    measured = history[LOSS_SHARE].dropna() if LOSS_SHARE in history else pd.Series(dtype=float)
    measured = measured[measured > 0]
    if measured.empty:
        return (
            first,
            second,
            "The proposed model of this run had no perceptual term.",
        )
    last = measured.tail(1)
    if reduction == "mean":
        summed, averaged = share_with_sum(last, dimensions), last
    else:
        summed, averaged = last, share_with_mean(last, dimensions)
    third = (
        f"In the last epoch of this run the term makes up {write_share(float(summed.iloc[0]))} of"
        f" the generators' loss with sum and {write_share(float(averaged.iloc[0]))} with mean over"
        f" the teacher's {dimensions} dimensions (the curve of {_other(reduction)} is computed for"
        " the same weights, not trained)."
    )
    return first, second, third


def _other(reduction: str) -> str:
    return "sum" if reduction == "mean" else "mean"
