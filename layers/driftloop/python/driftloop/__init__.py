"""driftloop: the loop that keeps a machine-learning model fresh.

Stage modules (``ingest``, ``prepare``, ``tune``, ``train``, ``validate``, ``register``,
``release``, ``predict``, ``capture``, ``labels``, ``monitor``, ``trigger``, ``query``) decide;
``driftloop.aws`` and ``driftloop.wire`` act. Nothing is imported here, so that a function pays
only for what it uses.
"""
