"""Files of rows → files of predictions: what the endpoint would answer, row by row.

A file under ``batch/<model>/`` is divided into chunks at record boundaries, the chunks are scored
side by side, and what they gave is joined in the file's order: predictions, rejects, a sample for
the monitor, and last a report. Every row is either predicted or rejected, with its line. The
version that scores is settled when the batch begins, and named by the hash of its plan in all that
is passed on, so a batch is one version's work however long it takes. Same file, same version, same
bytes, whatever the chunks.
"""
