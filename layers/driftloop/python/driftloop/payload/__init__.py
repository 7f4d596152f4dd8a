"""What a caller sends → rows, whichever of the accepted shapes it has. Pure, standard library only.

::

    {"instances": [{feature: value, …} | [value, …], …]}      KServe V1, Vertex AI; `parameters`
    {"dataframe_records": [{feature: value, …}, …]}           MLflow; `params`
    {"dataframe_split": {"columns": […], "data": [[…], …]}}   MLflow; `index` is not looked at
    {"inputs": [row, …] | {feature: [value, …], …}}           MLflow, TensorFlow Serving
    text/csv, with a header line or without                   SageMaker

Lists without names are in the order of the model's inputs. What a value may be is not checked
here but where it is encoded; errors name the place in the caller's own shape.
"""

from driftloop.payload.asked import MAX_ROWS, Asked
from driftloop.payload.body import MAX_BYTES
from driftloop.payload.place import Items, Place
from driftloop.payload.read import document, from_event, read

__all__ = ["MAX_BYTES", "MAX_ROWS", "Asked", "Items", "Place", "document", "from_event", "read"]
