"""Which λ_p to train with: the report's rule, and the one recommended here."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from portrait_pipeline.errors import PortraitPipelineError

Rule = Literal["ssim", "pareto"]

DISTANCES = ("kid", "swd")
"""Distances to paintings, the first that was measured counts."""


@dataclass(frozen=True)
class Choice:
    """A chosen λ_p and why.

    Attributes:
        lambda_perceptual: The chosen value.
        rule: The rule that chose it.
        reason: One sentence with the numbers that decided.
        other_rule_choice: What the other rule would have chosen; None where its numbers are
            missing.
    """

    lambda_perceptual: float
    rule: Rule
    reason: str
    other_rule_choice: float | None


def choose_lambda(
    table: pd.DataFrame,
    baseline_row: Mapping[Hashable, Any],
    rule: Rule,
    max_distance_ratio: float,
) -> Choice:
    """Choose among the rows of a λ_p table; on equal numbers the smaller λ_p wins.

    `ssim` is the report's rule (section 5.3): the highest mean SSIM between photo and portrait. It
    rewards portraits that change little. `pareto` takes, of the models that are closer to real
    paintings than the unchanged photographs are and about as close as the closest model, the one
    whose portraits the judge finds most like their photos. So a model that leaves the photographs
    as they are is never chosen for keeping the person. Where no model is closer than the
    photographs, it takes the closest and says so.

    Args:
        table: One row per λ_p, columns `lambda_perceptual`, `ssim`, `identity_similarity`, and
            `kid` or, where that was not measured, `swd`.
        baseline_row: The row of the same training with λ_p = 0: its distance competes, too, and
            its `kid_of_photos` or `swd_of_photos` is that of the unchanged photographs.
        rule: How to choose.
        max_distance_ratio: 1.1: a distance may exceed the least by 10 % of the photographs'.

    Raises:
        PortraitPipelineError: if the table is empty, or a number that the rule needs is missing.
    """
    if table.empty:
        raise PortraitPipelineError(
            "the table of λ_p has no row, expected one per value; run: kedro run --pipeline=tune"
        )
    missing = _missing(table, baseline_row, rule)
    if missing:
        raise PortraitPipelineError(
            f"selection={rule} needs a number for {', '.join(missing)} of every λ_p and of the"
            " baseline; run: kedro run --pipeline=tune"
        )
    other: Rule = "pareto" if rule == "ssim" else "ssim"
    chosen, reason = _apply(table, baseline_row, rule, max_distance_ratio)
    other_choice = None
    if not _missing(table, baseline_row, other):
        other_choice, _ = _apply(table, baseline_row, other, max_distance_ratio)
    return Choice(chosen, rule, reason, other_choice)


def _missing(table: pd.DataFrame, baseline: Mapping[Hashable, Any], rule: Rule) -> list[str]:
    if rule == "ssim":
        return _without_numbers(table, ("lambda_perceptual", "ssim"))
    missing = _without_numbers(table, ("lambda_perceptual", "identity_similarity"))
    return missing if _distance_of(table, baseline) else [*missing, " or ".join(DISTANCES)]


def _without_numbers(table: pd.DataFrame, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name not in table or not _finite(table[name])]


def _distance_of(table: pd.DataFrame, baseline: Mapping[Hashable, Any]) -> str | None:
    """Name the first distance that is known of every model, the baseline and the photographs."""
    for name in DISTANCES:
        of_baseline = [baseline.get(name), baseline.get(f"{name}_of_photos")]
        if not _without_numbers(table, (name,)) and _finite(of_baseline):
            return name
    return None


def _finite(values: Any) -> bool:
    return bool(np.isfinite(pd.to_numeric(pd.Series(values), errors="coerce")).all())


def _apply(
    table: pd.DataFrame, baseline: Mapping[Hashable, Any], rule: Rule, max_distance_ratio: float
) -> tuple[float, str]:
    match rule:
        case "ssim":
            best = _first(table, "ssim", ascending=False)
            return float(best["lambda_perceptual"]), (
                f"λ_p = {best['lambda_perceptual']:g} has the highest mean SSIM,"
                f" {best['ssim']:.4f}, of {len(table)} values."
            )
        case "pareto":
            return _apply_pareto(table, baseline, max_distance_ratio)
    raise PortraitPipelineError(f"selection is {rule}, expected ssim or pareto")


def _apply_pareto(
    table: pd.DataFrame, baseline: Mapping[Hashable, Any], max_distance_ratio: float
) -> tuple[float, str]:
    name = _distance_of(table, baseline) or DISTANCES[-1]
    distances, of_photos = table[name].astype(float), float(baseline[f"{name}_of_photos"])
    least = min(distances.min(), float(baseline[name]))
    limit = least + (max_distance_ratio - 1.0) * of_photos
    close = table[(distances < of_photos) & (distances <= limit)]
    photos = f"the unchanged photographs are ({name.upper()} {of_photos:.2f})"
    if close.empty:
        nearest = _first(table, name, ascending=True)
        beaten = float(nearest[name]) >= of_photos
        why = photos if beaten else f"{limit:.2f}, near the closest model's {least:.2f}"
        return float(nearest["lambda_perceptual"]), (
            f"No λ_p brings the portraits closer to paintings than {why}; λ_p ="
            f" {nearest['lambda_perceptual']:g} comes closest with {nearest[name]:.2f}."
        )
    best = _first(close, "identity_similarity", ascending=False)
    return float(best["lambda_perceptual"]), (
        f"Of {len(close)} of {len(table)} values that are closer to paintings than {photos} and"
        f" within {limit:.2f}, λ_p = {best['lambda_perceptual']:g} keeps the person best, with an"
        f" identity similarity of {best['identity_similarity']:.3f}."
    )


def _first(table: pd.DataFrame, column: str, *, ascending: bool) -> pd.Series:
    ordered = table.sort_values([column, "lambda_perceptual"], ascending=[ascending, True])
    return ordered.iloc[0]
