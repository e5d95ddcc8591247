"""Remembers the environment of a run, which Kedro does not pass to the pipeline registry."""

from kedro.config import AbstractConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines

REGISTRY = "portrait_pipeline.pipeline_registry"


class EnvironmentHook:
    """Keeps the configuration of the latest context, for the registry to read the models from.

    Attributes:
        config_loader: That of the context; None where none was made, as by `kedro registry list`.
    """

    config_loader: AbstractConfigLoader | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep its configuration; pipelines that were read with another one are read again."""
        EnvironmentHook.config_loader = context.config_loader
        pipelines.configure(REGISTRY)
