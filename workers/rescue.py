"""Puts right what a dead process left behind: lost jobs are handed back, chunks and batches without a job get one."""

from __future__ import annotations

from collections import Counter

from aiops.db.statements import statement
from workers.service import Service

HEARTBEAT_SECONDS = 5.0
"""How often a worker gives a sign of life."""
SILENT_SECONDS = 20.0
"""A worker that has been silent for so long is given up on. With the pause between two rounds this makes a rescue
within half a minute of a kill."""
_LONGEST_GAP_SECONDS = 10.0
"""When nobody, of any daemon, has looked for so long, nobody may have been able to speak either."""
_SETTLED_SECONDS = 12.0
"""So long after such a gap silence proves something again: two signs of life, and the time to connect."""
MOST_TRIES = 5
"""A chunk whose process ended so often while it was computed is taken to be the cause, and fails by name."""


class Rescue(Service):
    """A round every five seconds in every control process; those of several daemons do not get in each other's way."""

    name = "rescue"
    pause_seconds = 5.0

    async def round(self) -> None:
        """Rescue, then reconcile; each in a transaction of its own."""
        if await self._silence_proves_something():
            await self._rescue()
        async with self.pool.connection() as connection:
            cursor = await connection.execute(statement("reconcile_batches"), {"settled_for": SILENT_SECONDS})
            for batch_id, chunk_no, outcome in await cursor.fetchall():
                self.log.warning("put back on the queue", batch_id=str(batch_id), chunk=chunk_no, outcome=outcome)

    async def _silence_proves_something(self) -> bool:
        """Whether the workers have had the time to speak: where the server was away, they were silent, too."""
        times = {"longest_gap": _LONGEST_GAP_SECONDS, "settled_for": _SETTLED_SECONDS}
        async with self.pool.connection() as connection:
            cursor = await connection.execute(statement("note_rescue_round"), times)
            row = await cursor.fetchone()
        return row is not None and bool(row[0])

    async def _rescue(self) -> None:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                statement("rescue_jobs"), {"silent_for": SILENT_SECONDS, "most_tries": MOST_TRIES}
            )
            rescued = await cursor.fetchall()
            for job_id, task_name, args, outcome in rescued:
                whose = {"batch_id": args.get("batch_id"), "chunk": args.get("chunk_no")}
                about = {name: value for name, value in whose.items() if value is not None}
                happened = "job not rescued yet" if outcome.startswith("error") else "job rescued"
                self.log.warning(happened, job_id=job_id, task=task_name, outcome=outcome, **about)
            for outcome, times in sorted(Counter(outcome for *_, outcome in rescued).items()):
                if not outcome.startswith("error"):
                    event = {"event": "rescue", "kind": outcome, "times": times}
                    await connection.execute(statement("count_events"), event)
        async with self.pool.connection() as connection:
            # A round that waited for locks looked at the workers all the while: it is no gap.
            await connection.execute(statement("note_rescue_end"))
