"""The web page, where people upload a photo and see its portraits. It holds no model code."""
