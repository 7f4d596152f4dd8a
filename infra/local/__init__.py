"""The embedded AWS: moto, and only what moto lacks. It knows AWS, not our domain."""
