"""What is timed, beside what."""
