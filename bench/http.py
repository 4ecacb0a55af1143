"""What the HTTP face must reach: status, event streams, and from asking until `completed` is seen.

    make bench-http

One server process on a throw-away server that waits for the disk (or on the one that DATABASE_URL names), with the
synthetic sample, both yearly batches computed, and a real daemon that is otherwise idle. Without a rate limit: this
process is a hundred clients in one. Figures depend on the machine and on what else it does, which is measured first;
the limits are those that the project has set itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import psycopg

from bench.machine import daemon, state_of_machine
from bench.measure import table
from bench.throwaway import databases

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST, PORT = "127.0.0.1", 18_423
STATUS_REQUESTS = 3000
CLIENTS = 16
STREAMS = 500
EVENTS = 20
ASKED = 100
A_REQUEST = "SELECT batch_id::text FROM batch_jobs WHERE job_type LIKE 'ondemand%' LIMIT 1"
PLACES = "SELECT latitude, longitude FROM location_grid WHERE has_climate ORDER BY random() LIMIT %s"


@contextmanager
def serving(conninfo: str) -> Iterator[psutil.Process]:
    """`aiops serve`, from when it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "serve", "--host", HOST, "--port", str(PORT)],
        env={**os.environ, "DATABASE_URL": conninfo, "LOG_LEVEL": "warning", "API_RATE_LIMIT": "0"},
    )
    try:
        deadline = time.monotonic() + 60
        while asyncio.run(_answers()) != 200:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server does not answer")
            time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


async def _answers() -> int:
    try:
        return (await Client().ask("GET", "/readyz"))[0]
    except OSError:
        return 0


class Client:
    """HTTP/1.1 over one connection, with as little of its own as can be: what is measured is the server."""

    def __init__(self) -> None:
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Ask, and take the whole answer."""
        status, headers = await self.begin(method, path, body)
        return status, await self._reader.readexactly(int(headers.get("content-length", 0)))

    async def begin(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, str]]:
        """Ask, and take the head of the answer."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(HOST, PORT, limit=1 << 20)
        head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n"
        self._writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        return int(lines[0].split()[1]), headers

    async def states(self):
        """What an event stream tells, as it comes."""
        while line := await self._reader.readline():
            if line.startswith(b"data: "):
                yield json.loads(line[6:])
            elif line.strip() == b"0":
                return

    def close(self) -> None:
        """Go."""
        if self._writer is not None:
            self._writer.close()


async def follow(batch_id: str, seen: asyncio.Queue) -> None:
    """Put each state of a batch into a queue, with when it was seen."""
    client = Client()
    try:
        status, _ = await client.begin("GET", f"/api/batch/{batch_id}/events")
        assert status == 200, status
        async for state in client.states():
            seen.put_nowait((state, time.perf_counter()))
    finally:
        client.close()


async def statuses(batch_id: str, number: int, clients: int) -> tuple[list[float], float]:
    """Milliseconds of each request, and how many a second."""
    left, taken = iter(range(number)), []

    async def one() -> None:
        client = Client()
        for _ in left:
            started = time.perf_counter()
            status, _ = await client.ask("GET", f"/api/batch/{batch_id}/status")
            assert status == 200, status
            taken.append(1000 * (time.perf_counter() - started))
        client.close()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    return taken, number / (time.perf_counter() - started)


async def answered(places: list[tuple[float, float]]) -> list[float]:
    """Milliseconds from the request's first byte until an event says `completed`, one after the other."""
    client, taken = Client(), []
    for latitude, longitude in places:
        body = json.dumps({"latitude": latitude, "longitude": longitude, "force": True}).encode()
        started = time.perf_counter()
        status, answer = await client.ask("POST", "/api/risk/calculate", body)
        assert status == 202, answer
        seen: asyncio.Queue = asyncio.Queue()
        await follow(json.loads(answer)["batch_id"], seen)
        states = [seen.get_nowait() for _ in range(seen.qsize())]
        assert states[-1][0]["status"] == "completed", states[-1]
        taken.append(1000 * (states[-1][1] - started))
        await asyncio.sleep(0.03)
    client.close()
    return taken


async def held(conninfo: str, server: psutil.Process, streams: int) -> tuple[float, float, float]:
    """Memory of a stream in kB, and milliseconds from a commit until the median and the last stream has its event."""
    connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
    cursor = await connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('test') RETURNING batch_id::text")
    (batch_id,) = await cursor.fetchone()
    before = server.memory_info().rss
    queues = [asyncio.Queue() for _ in range(streams)]
    tasks = [asyncio.create_task(follow(batch_id, queue)) for queue in queues]
    for queue in queues:
        await asyncio.wait_for(queue.get(), 60)
    memory = (server.memory_info().rss - before) / streams / 1000
    middle, last = [], []
    for progress in range(1, EVENTS + 1):
        await connection.execute("UPDATE batch_jobs SET progress = %s WHERE batch_id = %s", (progress, batch_id))
        committed = time.perf_counter()
        seen = [await asyncio.wait_for(queue.get(), 60) for queue in queues]
        delays = [1000 * (at - committed) for state, at in seen if state["progress"] == progress]
        assert len(delays) == streams
        middle.append(statistics.median(delays))
        last.append(max(delays))
        await asyncio.sleep(0.1)
    await connection.execute("SELECT cancel_batch(%s)", (batch_id,))
    await asyncio.wait_for(asyncio.gather(*tasks), 60)
    await connection.close()
    return memory, statistics.median(middle), statistics.median(last)


def main() -> int:
    """Measure all; 1 if a limit is not kept."""
    print(state_of_machine())
    with databases(durable=True) as server, server.one("http") as database:
        database.run("ingest", "sample")
        with daemon(database.conninfo, 2), serving(database.conninfo) as process:
            for job in ("probability", "hazard"):
                database.run("run", job)
            with psycopg.connect(database.conninfo) as connection:
                places = connection.execute(PLACES, (ASKED + 5,)).fetchall()
            asyncio.run(answered(places[:5]))
            taken = asyncio.run(answered(places[5:]))
            (batch_id,) = database.rows(A_REQUEST)[0]
            alone, _ = asyncio.run(statuses(batch_id, 300, 1))
            together, rate = asyncio.run(statuses(batch_id, STATUS_REQUESTS, CLIENTS))
            memory, middle, last = asyncio.run(held(database.conninfo, process, STREAMS))
            whole = process.memory_info().rss / 1e6
    print(state_of_machine())
    rows = [
        ("status, one client, median", f"{statistics.median(alone):.1f} ms", "≤ 10 ms", statistics.median(alone) <= 10),
        (f"status, {CLIENTS} clients, median", f"{statistics.median(together):.1f} ms", "", True),
        ("status, requests a second", f"{rate:.0f}", "≥ 500", rate >= 500),
        ("calculate → completed by an event, median", f"{statistics.median(taken):.0f} ms", "≤ 80 ms",
         statistics.median(taken) <= 80),
        ("  the same, 95 of 100", f"{statistics.quantiles(taken, n=20)[-1]:.0f} ms", "", True),
        ("event streams held by one process", f"{STREAMS}", "500", True),
        ("  memory a stream", f"{memory:.0f} kB", "", True),
        ("  memory of the process with them", f"{whole:.0f} MB", "", True),
        ("  commit → event, median of the streams", f"{middle:.0f} ms", "", True),
        ("  commit → event, last of the streams", f"{last:.0f} ms", "", True),
    ]  # fmt: skip
    print(table(("what", "measured", "limit", ""), [(a, b, c, "" if good else "MISSED") for a, b, c, good in rows]))
    return 0 if all(good for *_, good in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
