"""Entry point: `python -m portrait_pipeline` is `kedro run` of this project."""

from portrait_pipeline.extras import exit_without


def main() -> None:
    """Run the project's `run` command."""
    exit_without("train", "python -m portrait_pipeline")
    # imported here: without the extra there is no Kedro
    from kedro.framework.cli.utils import find_run_command  # noqa: PLC0415
    from kedro.framework.project import configure_project  # noqa: PLC0415

    configure_project("portrait_pipeline")
    find_run_command("portrait_pipeline")()


if __name__ == "__main__":
    main()
