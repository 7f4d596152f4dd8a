"""What rows look like, and what of it a person should look at."""
