"""Converts image files of many formats into images that every email app can show."""
