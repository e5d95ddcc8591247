"""Wiring of the reporting pipeline."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline, node, pipeline

from portrait_pipeline.pipelines.reporting import nodes


def create_pipeline(**_kwargs: object) -> Pipeline:
    """Create the pipeline that draws the figure and the plots and writes the report page."""
    histories = ["baseline_history", "proposed_history"]
    portraits = ["photo_faces", "baseline_portraits", "proposed_portraits"]
    scores = ["baseline_scores", "proposed_scores"]
    choice = ["lambda_table", "chosen_lambda"]
    drawn = [
        "trade_off_plot",
        "loss_plot",
        "validation_plot",
        "ssim_plot",
        "perceptual_share_plot",
        "faces_found_plot",
    ]
    page = ["results_section", "ranking_section", "data_section", "report_plots"]
    return pipeline(
        [
            _named(nodes.draw_figure_1, [*portraits, "twin_faces", "proposed_scores"], "figure_1"),
            _named(nodes.plot_trade_off, ["comparison", "lambda_table"], "trade_off_plot"),
            _named(nodes.plot_losses, histories, "loss_plot"),
            _named(nodes.plot_validation, histories, "validation_plot"),
            _named(nodes.plot_ssim_two_ways, ["comparison"], "ssim_plot"),
            _named(
                nodes.plot_perceptual_shares,
                ["proposed_history", "run_facts"],
                "perceptual_share_plot",
            ),
            _named(nodes.plot_faces_found, ["ingestion_audit"], "faces_found_plot"),
            _named(nodes.gather_plots, drawn, "report_plots"),
            _named(
                nodes.summarise_results,
                ["comparison", *choice, "conclusion", "checkpoint_spread"],
                "results_section",
            ),
            _named(nodes.rank_portraits, [*portraits, *scores], "ranking_section"),
            _named(
                nodes.summarise_data,
                ["ingestion_summary", "ingestion_audit", "photo_faces", "painting_faces"],
                "data_section",
            ),
            _named(nodes.gather_facts, ["run_facts", "run_log"], "report_facts"),
            _named(nodes.write_report, [*page, "figure_1", "report_facts"], "report"),
        ]
    )


def _named(function: Callable[..., object], inputs: list[str], output: str) -> Node:
    """Wire a node whose name is its function's name."""
    return node(function, inputs, output, name=function.__name__)
