"""Files become climate data and the other inputs of the indicators, and these become indicators.

A file is read and judged whole, then written in one transaction, with everything that follows from it and from what is
stored already. Rows that cannot be used are left out and reported with their line; a file of which nothing can be used
is refused. The formats are described in `docs/ingest.md`.
"""
