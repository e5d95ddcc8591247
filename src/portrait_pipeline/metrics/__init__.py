"""What the results are worth: pure functions, one metric per file."""
