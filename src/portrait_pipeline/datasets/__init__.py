"""Kedro datasets of our own: what the catalog needs and the library does not have."""
