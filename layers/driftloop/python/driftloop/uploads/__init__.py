"""How what lands becomes parts: cut into pieces, checked, settled, taken in."""
