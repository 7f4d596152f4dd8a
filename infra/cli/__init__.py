"""The `driftloop` command: the operator's hand, on AWS and on the embedded one alike."""
