"""Photographs of people into painted portraits in which one still recognises the person."""

__version__ = "0.1.0"
