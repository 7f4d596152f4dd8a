"""`driftloop demo`: six months of real flights through the whole loop. Nothing is scripted: what
happens is what the loop decides, and the report tells it from the registry's own records."""

from infra.cli.demo.play import demo

__all__ = ["demo"]
