"""Rows, their names and their versions."""
