"""The `driftloop` command: the operator's hand, on AWS and on the embedded one alike."""


def main() -> None:
    """Entry of the console script."""
    from infra.cli.app import run

    raise SystemExit(run())
