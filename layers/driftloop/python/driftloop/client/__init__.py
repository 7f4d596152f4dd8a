"""Ask a model's endpoint from Python: the standard library alone, pandas where you have it.

::

    from driftloop.client import Endpoint

    with Endpoint("https://….execute-api.eu-west-1.amazonaws.com/models/flights") as flights:
        flights.predict({"hour": 7, "carrier": "UA", "temp": 3.5})   # → a prediction
        flights.predict([{…}, {…}])                                  # → a list of them
        flights.predict(frame)                                       # → a frame of the same index

What the endpoint says no to is :class:`Refused`; one that does not answer is
:class:`~driftloop.errors.Unavailable`.
"""

from driftloop.client.endpoint import Endpoint
from driftloop.client.refused import Refused
from driftloop.errors import BadRequest, Unavailable
from driftloop.wire.sigv4 import Credentials

__all__ = ["BadRequest", "Credentials", "Endpoint", "Refused", "Unavailable"]
