"""aiops: the physical climate risk of any place in Korea, computed and kept in Postgres.

This package knows the science and the database; it does not know that a queue exists (see `workers`).
"""

from importlib.metadata import version

__version__: str = version("aiops")
