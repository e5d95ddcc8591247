"""What happens around the nodes: checks, tracking, lines on the terminal, the run log."""
