"""Kedro hooks: checks, tracking, lines on the terminal, the run log."""
