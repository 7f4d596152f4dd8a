"""Sketches: what is kept of a column, bounded, mergeable, the same in any order."""
