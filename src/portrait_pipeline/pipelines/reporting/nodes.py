"""Nodes of the reporting pipeline: figure, plots, the sections of the page, and the page."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import PublicationParameters
from portrait_pipeline.report import curves, plots
from portrait_pipeline.report.choice import word_choice
from portrait_pipeline.report.differences import difference_measures, difference_rows
from portrait_pipeline.report.explanation import (
    EMBEDDING_DIMENSIONS,
    explain_reduction,
    find_setting,
)
from portrait_pipeline.report.headline import headline_gaps, headline_models, headline_rows
from portrait_pipeline.report.models import model_label
from portrait_pipeline.report.page import render_page
from portrait_pipeline.report.pictures import (
    draw_picture_table,
    order_by_person_kept,
    spread_evenly,
    to_data_uri,
)
from portrait_pipeline.report.results_page import render_results
from portrait_pipeline.report.sections import (
    MAX_CROPS,
    MAX_RANKED_PICTURES,
    DataSection,
    RankedPicture,
    RankingSection,
    ResultsSection,
    Thumbnail,
    count_domains,
    group_left_out,
    make_thumbnails,
)
from portrait_pipeline.report.tables import (
    checkpoint_measures,
    checkpoint_rows,
    everything_table,
    lambda_measures,
    lambda_rows,
    proposed_lambda,
    seed_measures,
    seed_rows,
)
from portrait_pipeline.report.verdict import (
    trained_models,
    word_deception,
    word_verdict,
)
from portrait_pipeline.report.wording import write_number
from portrait_pipeline.scoring.freshness import check_scores_are_fresh

FIGURE_ROWS = 6
NO_TUNING = pd.DataFrame()
"""The λ_p table of an experiment that tunes none."""


def draw_figure_1(
    photo_faces: FaceSet,
    twin_faces: FaceSet,
    proposed_scores: pd.DataFrame,
    **portraits: FaceSet,
) -> Image.Image:
    """Draw the report's Figure 1: photo, and its portrait by each model, named by `portraits`.

    Six test pictures, not chosen by eye: sorted from the best to the worst kept person by the judge
    of the proposed model, at even distances, both ends included. Where the painted twins of the
    photos are known (the sample), they stand in the last column.
    """
    ordered, _, _ = order_by_person_kept(proposed_scores)
    names = spread_evenly(ordered, FIGURE_ROWS)
    painted = {model_label(model): faces for model, faces in portraits.items()}
    columns = {"Photo": photo_faces, **painted}
    if set(names) <= set(twin_faces.names):
        columns["Painted twin"] = twin_faces
    return draw_picture_table(columns, names)


def freshness_of(models: Sequence[str]) -> Callable[..., pd.DataFrame]:
    """Make the node function that refuses scores of models that were trained anew."""

    def check_comparison(comparison: pd.DataFrame, *histories: pd.DataFrame) -> pd.DataFrame:
        return check_scores_are_fresh(comparison, dict(zip(models, histories, strict=True)))

    check_comparison.__doc__ = f"Check that the scores of {', '.join(models)} are not out of date."
    return check_comparison


def plot_trade_off(comparison: pd.DataFrame, lambda_table: pd.DataFrame = NO_TUNING) -> go.Figure:
    """Plot the person kept against the distance to paintings, one point per λ_p, with controls."""
    return plots.trade_off_figure(comparison, lambda_table)


def losses_of(models: Sequence[str]) -> Callable[..., go.Figure]:
    """Make the node function that plots the losses of `models`."""

    def plot_losses(*histories: pd.DataFrame) -> go.Figure:
        """Plot every unweighted loss term of all models over epochs."""
        return curves.loss_figure(dict(zip(models, histories, strict=True)))

    return plot_losses


def validation_of(models: Sequence[str]) -> Callable[..., go.Figure]:
    """Make the node function that plots the validation scores of `models`."""

    def plot_validation(*histories: pd.DataFrame) -> go.Figure:
        """Plot the validation scores of all models over epochs."""
        return curves.validation_figure(dict(zip(models, histories, strict=True)))

    return plot_validation


def plot_ssim_two_ways(comparison: pd.DataFrame) -> go.Figure:
    """Plot SSIM with the right constants beside SSIM as the report computed it."""
    return plots.ssim_figure(comparison)


def plot_perceptual_shares(proposed_history: pd.DataFrame, run_facts: dict[str, Any]) -> go.Figure:
    """Plot the share of the perceptual term with `sum` and with `mean`, and say what it shows."""
    teacher = find_setting(run_facts, "teacher", "dlib")
    reduction = find_setting(run_facts, "perceptual_reduction", "sum")
    dimensions = EMBEDDING_DIMENSIONS.get(teacher, 512)
    figure = curves.perceptual_share_figure(proposed_history, dimensions, reduction)
    sentences = explain_reduction(proposed_history, dimensions, reduction)
    return figure.update_layout(meta={**figure.layout.meta, "explanation": list(sentences)})


def plot_faces_found(ingestion_audit: pd.DataFrame) -> go.Figure:
    """Plot how large the detected faces are and how sure the detector was."""
    return plots.face_figure(ingestion_audit)


def gather_plots(
    trade_off_plot: go.Figure,
    loss_plot: go.Figure,
    validation_plot: go.Figure,
    ssim_plot: go.Figure,
    perceptual_share_plot: go.Figure,
    faces_found_plot: go.Figure,
) -> dict[str, go.Figure]:
    """Hand the plots to the page under the names by which it places them."""
    return {
        "trade_off": trade_off_plot,
        "losses": loss_plot,
        "validation": validation_plot,
        "ssim": ssim_plot,
        "perceptual_share": perceptual_share_plot,
        "faces_found": faces_found_plot,
    }


def summarise_results(
    comparison: pd.DataFrame,
    seed_summary: pd.DataFrame,
    conclusion: list[str],
    checkpoint_spread: pd.DataFrame,
    differences: pd.DataFrame,
    lambda_table: pd.DataFrame = NO_TUNING,
    chosen_lambda: dict[str, Any] | None = None,
) -> ResultsSection:
    """Word the tables: the headline, everything, the choice of λ_p if any, and the conclusion."""
    return ResultsSection(
        verdict=word_verdict(comparison, trained_models(comparison)),
        deception=word_deception(comparison),
        conclusion=tuple(conclusion),
        headline_models=headline_models(comparison),
        headline=headline_rows(comparison),
        headline_gaps=headline_gaps(comparison),
        everything=everything_table(comparison),
        lambda_measures=lambda_measures(lambda_table),
        lambda_rows=lambda_rows(lambda_table),
        checkpoint_measures=checkpoint_measures(),
        checkpoint_rows=checkpoint_rows(checkpoint_spread),
        seed_measures=seed_measures(seed_summary),
        seed_rows=seed_rows(seed_summary),
        difference_measures=difference_measures(differences),
        difference_rows=difference_rows(differences),
        choice=word_choice(chosen_lambda, proposed_lambda(comparison)) if chosen_lambda else (),
        judge=_first_text(comparison, "judge"),
        teacher=_first_text(comparison, "teacher"),
    )


def _first_text(table: pd.DataFrame, column: str) -> str:
    texts = [t for t in table.get(column, pd.Series(dtype=str)).dropna().astype(str) if t]
    return texts[0] if texts else "none"


def ranking_of(models: Sequence[str]) -> Callable[..., RankingSection]:
    """Make the node function that lines up the portraits by `models`, given before their scores."""

    def rank_portraits(photo_faces: FaceSet, *portraits_and_scores: Any) -> RankingSection:
        """Line the photos up from the best to the worst kept person, by the proposed model."""
        portraits = dict(zip(models, portraits_and_scores, strict=False))
        scores = dict(zip(models, portraits_and_scores[len(models) :], strict=True))
        ordered, column, rule = order_by_person_kept(scores["proposed"])
        shown = spread_evenly(ordered, MAX_RANKED_PICTURES // (1 + len(models)))
        sources: list[tuple[str, FaceSet, dict[str, str]]] = [("Photo", photo_faces, {})]
        sources += [
            (model_label(model), portraits[model], _scores_by_name(scores[model], column))
            for model in models
        ]
        place = {name: number for number, name in enumerate(ordered, start=1)}
        rows = []
        for index, name in enumerate(shown):
            pictures = tuple(
                Thumbnail(label, to_data_uri(faces.subset(shown)[index]), captions.get(name, ""))
                for label, faces, captions in sources
            )
            rows.append(RankedPicture(place=place[name], name=name, pictures=pictures))
        return RankingSection(rule=rule, total=len(ordered), rows=tuple(rows))

    return rank_portraits


def _scores_by_name(scores: pd.DataFrame, column: str) -> dict[str, str]:
    if column == "name":
        return {}
    values = scores.dropna(subset=[column])
    return {
        str(name): write_number(float(value), 2)
        for name, value in zip(values["name"], values[column], strict=True)
    }


def summarise_data(
    ingestion_summary: dict[str, Any],
    ingestion_audit: pd.DataFrame,
    photo_faces: FaceSet,
    painting_faces: FaceSet,
) -> DataSection:
    """Count where every file went, and show some crops and some of what was left out."""
    crops = {
        label: make_thumbnails(faces, spread_evenly(sorted(faces.names), MAX_CROPS))
        for label, faces in (("Photos", photo_faces), ("Paintings", painting_faces))
    }
    return DataSection(
        domains=count_domains(ingestion_summary),
        crops=crops,
        left_out=group_left_out(ingestion_audit),
    )


def gather_facts(
    run_facts: dict[str, Any], run_log: dict[str, Any], report_links: dict[str, str]
) -> dict[str, Any]:
    """Put together what was run, with what settings, how long it took, and where its files lie."""
    durations = {name: seconds for name, seconds in run_log["durations"].items() if seconds >= 1.0}
    total = {"all stages": sum(run_log["durations"].values())} if durations else {}
    commands = list(run_log["commands"].values())
    short = {name: run_facts[name][:12] for name in ("data_hash",) if name in run_facts}
    times = {**total, **durations}
    return {
        **run_facts,
        **short,
        "durations": times,
        "commands": commands,
        "links": report_links,
    }


def write_report(
    results_section: ResultsSection,
    ranking_section: RankingSection,
    data_section: DataSection,
    report_plots: dict[str, go.Figure],
    figure_1: Image.Image,
    report_facts: dict[str, Any],
) -> str:
    """Write the report page: one HTML file that needs nothing else, not even a network."""
    return render_page(
        results=results_section,
        ranking=ranking_section,
        data=data_section,
        plots=report_plots,
        figure_1=figure_1,
        run_facts=report_facts,
    )


def publish_tables(*tables: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """Copy the tables of a study to where they are published."""
    return tables


def render_results_page(publication: PublicationParameters, **tables: pd.DataFrame) -> str:
    """Write the page of a study from its published tables alone."""
    return render_results(tables, publication.command, publication.folder, publication.title)
