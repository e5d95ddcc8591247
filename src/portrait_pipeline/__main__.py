"""Entry point: `python -m portrait_pipeline` is `kedro run` of this project."""

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main() -> None:
    """Run the project's `run` command."""
    configure_project("portrait_pipeline")
    find_run_command("portrait_pipeline")()


if __name__ == "__main__":
    main()
