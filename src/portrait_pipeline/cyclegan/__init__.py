"""The translation model: networks, objective, step and loop (Zhu et al. 2017; report, 4)."""
