"""The web page: upload, translate, show. No model code."""
