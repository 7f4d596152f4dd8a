"""The embedded AWS: moto, and only what moto lacks. It knows AWS, not our domain.

``from infra.local.server import Local`` starts one in this process; ``python -m infra.local`` one
of its own.
"""
