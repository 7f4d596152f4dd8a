"""Rejected rows: kept, told, mended, and in again."""
