"""Where pictures come from: each source ends as a table of files."""
