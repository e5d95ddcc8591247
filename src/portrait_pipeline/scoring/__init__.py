"""Scores of models against a reference, their summaries, and the choice of λ_p."""
