"""Fuzz targets, one a reader; see README.md."""
