"""`python -m workers`: the daemon, as `aiops worker`."""

from workers.cli import main

main(["worker"])
