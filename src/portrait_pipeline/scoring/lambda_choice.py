"""Which λ_p to train with: the report's rule, and the one recommended here."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from portrait_pipeline.errors import PortraitPipelineError

Rule = Literal["ssim", "pareto"]

_NEEDED: dict[Rule, tuple[str, ...]] = {"ssim": ("ssim",), "pareto": ("identity_similarity", "swd")}


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
    rewards portraits that change little. `pareto` takes, of the models whose distance to real
    paintings is at most `max_distance_ratio` times the baseline's, the one whose portraits the
    judge finds most like their photos. Where no model comes that close, it takes the closest and
    says so.

    Args:
        table: One row per λ_p, columns `lambda_perceptual`, `ssim`, `identity_similarity`, `swd`.
        baseline_row: The row of the same training with λ_p = 0; its `swd` bounds the distance.
        rule: How to choose.
        max_distance_ratio: 1.1 allows a distance 10 % worse than the baseline's.

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
    names = ("lambda_perceptual", *_NEEDED[rule])
    missing = [name for name in names if name not in table or not _finite(table[name])]
    if rule == "pareto" and "swd" not in missing and not _finite([baseline.get("swd")]):
        missing.append("swd")
    return missing


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
            return _apply_pareto(table, float(baseline["swd"]), max_distance_ratio)
    raise PortraitPipelineError(f"selection is {rule}, expected ssim or pareto")


def _apply_pareto(
    table: pd.DataFrame, baseline_distance: float, max_distance_ratio: float
) -> tuple[float, str]:
    bound = max_distance_ratio * baseline_distance
    limit = f"{bound:.2f} ({max_distance_ratio:g} × the baseline's {baseline_distance:.2f})"
    close = table[table["swd"] <= bound]
    if close.empty:
        nearest = _first(table, "swd", ascending=True)
        return float(nearest["lambda_perceptual"]), (
            f"No λ_p keeps the distance to paintings within {limit}; λ_p ="
            f" {nearest['lambda_perceptual']:g} comes closest with {nearest['swd']:.2f}."
        )
    best = _first(close, "identity_similarity", ascending=False)
    return float(best["lambda_perceptual"]), (
        f"Of {len(close)} of {len(table)} values whose distance to paintings is within {limit},"
        f" λ_p = {best['lambda_perceptual']:g} keeps the person best, with an identity similarity"
        f" of {best['identity_similarity']:.3f}."
    )


def _first(table: pd.DataFrame, column: str, *, ascending: bool) -> pd.Series:
    ordered = table.sort_values([column, "lambda_perceptual"], ascending=[ascending, True])
    return ordered.iloc[0]
