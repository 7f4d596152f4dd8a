"""Lines that services of AWS themselves write to CloudWatch Logs, stamped by the embedded clock.

AWS: "Logs sent to CloudWatch Logs" (CloudWatch Logs User Guide, AWS-logs-and-resource-policy). The
``PutLogEvents`` API takes no events older than 14 days of real time; services do not go that way.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from moto.logs.models import logs_backends

if TYPE_CHECKING:
    from .server import Local


def append(
    local: "Local", group: str, stream: str, line: str, when: datetime, *, create: bool = False
) -> None:
    """Append ``line``; a group that is not there is made if ``create``, else the line is lost
    (delivery by AWS services is best effort)."""
    backend = logs_backends[local.account][local.region]
    if group not in backend.groups:
        if not create:
            return
        backend.create_log_group(group, {})
    found = backend.groups[group]
    if stream not in found.streams:
        backend.create_log_stream(group, stream)
    stamp = int(when.timestamp() * 1000)
    found.put_log_events(stream, [{"timestamp": stamp, "message": line}])
    for hook in local.on_log:
        hook(group, stream, [(stamp, line)])
