"""The Kedro pipelines: nodes and their wiring."""
