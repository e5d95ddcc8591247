"""Sphinx's settings for the pages in this folder: `make docs`, where every warning is an error."""

from portrait_pipeline import __version__

project = "portrait_pipeline"
author = "The portrait_pipeline contributors"
release = __version__
language = "en"

extensions = ["myst_parser"]
myst_heading_anchors = 4  # headings have the anchors that GitHub gives them
nitpicky = True

html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
