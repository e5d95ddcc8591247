"""Kedro datasets of this project, for what kedro-datasets does not offer."""
