"""The contract of rows and uploads: what is accepted, and what for it is not."""
