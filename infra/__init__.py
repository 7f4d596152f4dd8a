"""The stacks, the embedded AWS and the command."""
