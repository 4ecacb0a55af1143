"""`python -m workers.cli …`, as `aiops …`."""

from workers.cli import main

main()
