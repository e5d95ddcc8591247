"""Wiring of the reporting: figure, plots, the sections of the page, and the page."""

from collections.abc import Container, Mapping, Sequence

from kedro.pipeline import Node, Pipeline

from portrait_pipeline.pipelines.reporting import nodes
from portrait_pipeline.report.results_page import TABLES, TUNING_TABLES

PLOTS = [
    "trade_off_plot",
    "loss_plot",
    "validation_plot",
    "ssim_plot",
    "perceptual_share_plot",
    "faces_found_plot",
]


def create_pipeline(models: Mapping[str, str], has_tuning: bool) -> Pipeline:
    """Create the pipeline that draws the figure and the plots and writes the report page.

    Args:
        models: The name of every training, in the order in which the page shows them, and the
            model that it is a seed of; the figure shows the first seed of each model.
        has_tuning: Whether the experiment tunes λ_p; without, the page shows no choice of it.
    """
    tuning = ("lambda_table", "chosen_lambda") if has_tuning else ()
    painted = {model: f"{model}_portraits" for model in dict.fromkeys(models.values())}
    scores = [f"{model}_scores" for model in painted]
    judged = {name: name for name in ("photo_faces", "twin_faces", "proposed_scores")}
    return _plots(tuple(models), tuning[:1]) + Pipeline(
        [
            Node(
                func=nodes.draw_figure_1,
                inputs={**judged, **painted},
                outputs="figure_1",
                name="draw_figure_1",
            ),
            Node(
                func=nodes.summarise_results,
                inputs=[
                    "fresh_comparison",
                    "seed_summary",
                    "conclusion",
                    "checkpoint_spread",
                    "differences",
                    *tuning,
                ],
                outputs="results_section",
                name="summarise_results",
            ),
            Node(
                func=nodes.ranking_of(tuple(painted)),
                inputs=["photo_faces", *painted.values(), *scores],
                outputs="ranking_section",
                name="rank_portraits",
            ),
            Node(
                func=nodes.summarise_data,
                inputs=["ingestion_summary", "ingestion_audit", "photo_faces", "painting_faces"],
                outputs="data_section",
                name="summarise_data",
            ),
            Node(
                func=nodes.gather_facts,
                inputs=["run_facts", "run_log", "report_links"],
                outputs="report_facts",
                name="gather_facts",
            ),
            Node(
                func=nodes.write_report,
                inputs=[
                    "results_section",
                    "ranking_section",
                    "data_section",
                    "report_plots",
                    "figure_1",
                    "report_facts",
                ],
                outputs="report",
                name="write_report",
            ),
        ]
    )


def create_publication(stages: Container[str]) -> Pipeline:
    """Create the pipeline that publishes a study of these stages: its tables, and their page."""
    tuned = (table for stage, table in TUNING_TABLES.items() if stage in stages)
    tables = [*TABLES, *tuned]
    published = [f"published_{table}" for table in tables]
    return Pipeline(
        [
            Node(
                func=nodes.publish_tables,
                inputs=tables,
                outputs=published,
                name="publish_tables",
            ),
            Node(
                func=nodes.render_results_page,
                inputs={
                    "publication": "params:publication",
                    **dict(zip(tables, published, strict=True)),
                },
                outputs="results_page",
                name="render_results_page",
            ),
        ]
    )


def _plots(models: Sequence[str], tuning: Sequence[str]) -> Pipeline:
    histories = [f"{model}_history" for model in models]
    return Pipeline(
        [
            Node(
                func=nodes.freshness_of(models),
                inputs=["comparison", *histories],
                outputs="fresh_comparison",
                name="check_comparison",
            ),
            Node(
                func=nodes.plot_trade_off,
                inputs=["fresh_comparison", *tuning],
                outputs="trade_off_plot",
                name="plot_trade_off",
            ),
            Node(
                func=nodes.losses_of(models),
                inputs=histories,
                outputs="loss_plot",
                name="plot_losses",
            ),
            Node(
                func=nodes.validation_of(models),
                inputs=histories,
                outputs="validation_plot",
                name="plot_validation",
            ),
            Node(
                func=nodes.plot_ssim_two_ways,
                inputs=["fresh_comparison"],
                outputs="ssim_plot",
                name="plot_ssim_two_ways",
            ),
            Node(
                func=nodes.plot_perceptual_shares,
                inputs=["proposed_history", "run_facts"],
                outputs="perceptual_share_plot",
                name="plot_perceptual_shares",
            ),
            Node(
                func=nodes.plot_faces_found,
                inputs=["ingestion_audit"],
                outputs="faces_found_plot",
                name="plot_faces_found",
            ),
            Node(
                func=nodes.gather_plots,
                inputs=PLOTS,
                outputs="report_plots",
                name="gather_plots",
            ),
        ]
    )
