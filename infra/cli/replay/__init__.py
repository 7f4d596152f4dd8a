"""`driftloop replay`: what other policies would have made of what happened."""
