"""The web page: upload, translate, show."""
