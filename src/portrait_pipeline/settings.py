"""Kedro's settings of this project."""

import logging
from typing import Any

from portrait_pipeline.process_environment import prepare_environment

# Before anything that warns or logs while it is imported: the terminal is for this project's words.
logging.captureWarnings(True)
prepare_environment()

from portrait_pipeline.given_text import path_from_home, plain_name  # noqa: E402
from portrait_pipeline.hooks.environment import ProjectConfigLoader  # noqa: E402
from portrait_pipeline.hooks.input_checks import InputChecks  # noqa: E402
from portrait_pipeline.hooks.progress_lines import ProgressLines  # noqa: E402
from portrait_pipeline.hooks.run_log import RunLogHook  # noqa: E402
from portrait_pipeline.hooks.tracking import TrackingHook  # noqa: E402
from portrait_pipeline.hooks.workspace import WorkspaceHook  # noqa: E402
from portrait_pipeline.session import ProjectSession  # noqa: E402

# What `selection`, the rule that chooses λ_p, looks at among the epochs of one training.
METRICS_OF_RULES = {
    "ssim": "validation_ssim",
    "pareto": "validation_painted_identity",
}

# kedro-mlflow's own hook is replaced by a subclass of it.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow",)
# The hook registered last is called first: nothing is tracked before the input is checked.
HOOKS = (
    ProgressLines(),
    RunLogHook(),
    TrackingHook(),
    WorkspaceHook(),
    InputChecks(),
)

# Runs parts of a pipeline too.
SESSION_CLASS = ProjectSession

# Every command follows its `--env` and `--params`, with hooks or without.
CONFIG_LOADER_CLASS = ProjectConfigLoader

CONFIG_LOADER_ARGS: dict[str, Any] = {
    "base_env": "base",
    "default_run_env": "local",
    # conf/sample and conf/local name only what differs from conf/base
    "merge_strategy": {"parameters": "soft", "globals": "soft", "mlflow": "soft"},
    "config_patterns": {"mlflow": ["mlflow*"]},
    "custom_resolvers": {
        "plain_name": plain_name,
        "path_from_home": path_from_home,
        "metric_of_rule": METRICS_OF_RULES.get,  # an unknown rule is refused where it is used
    },
}
