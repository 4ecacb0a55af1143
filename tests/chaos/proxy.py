"""A network that misbehaves: a TCP proxy on the loopback address, between a daemon and its server."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field

PIECE = 65_536


@dataclass(slots=True)
class Trap:
    """Waits for a text from a client; then the connection is reset, before or after the text has been passed on."""

    text: bytes
    pass_on: bool
    """True: the server gets the text, and its answer is lost; False: the server never gets it."""
    left: int = 1
    """How often it snaps."""
    chance: float = 1.0
    """With which it snaps when the text goes by."""
    dice: random.Random = field(default_factory=lambda: random.Random(0))
    snapped: int = 0


@dataclass(slots=True)
class Faults:
    """What is wrong with the network at present."""

    latency: float = 0.0
    """Seconds that every piece takes, each way."""
    jitter: float = 0.0
    """The latency varies by so many seconds, either way."""
    cut_after: tuple[int, int] | None = None
    """New connections are reset after a random number of bytes between these."""
    trap: Trap | None = None


@dataclass(slots=True)
class _Line:
    """One connection through the proxy: the two sockets, and what is left until it is cut."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    bytes_left: int | None = None
    is_deaf: bool = False
    """The client gets no answer any more."""
    tasks: list[asyncio.Task] = field(default_factory=list)

    def reset(self):
        """Both ends get a RST, as from a firewall that has forgotten the connection."""
        for end in (self.client, self.server):
            if end is not None:
                _reset(end)
        for task in self.tasks:
            task.cancel()


def _reset(writer):
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Proxy:
    """Passes bytes on between 127.0.0.1:port and a target; as a context manager, for as long as that lasts.

    In a black hole nothing is passed on and nothing is answered, to old connections and to new ones; the kernel goes on
    acknowledging packets, so that no TCP safeguard notices. What was sent into the hole comes out when it is lifted.
    """

    def __init__(self, host, port, dice=None):
        self.faults = Faults()
        self.resets = 0
        self._target = (host, port)
        self._dice = dice or random.Random(0)
        self._lines: list[_Line] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._open_road = asyncio.Event()

    def __enter__(self):
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.host, self.port = self._server.sockets[0].getsockname()[:2]
        self._call(self._set_hole(False))
        return self

    def __exit__(self, *_):
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # --- what a test does ---------------------------------------------------------------------------------------

    def black_hole(self, on):
        """Swallow everything; when it is lifted, deliver what was swallowed."""
        self._call(self._set_hole(on))

    def reset(self):
        """Reset every connection that there is; how many."""
        return self._call(self._reset_all())

    def ports_to_server(self):
        """The ports that the connections to the server come from, as the server sees them."""
        ends = [line.server for line in list(self._lines) if line.server is not None]
        return {end.get_extra_info("sockname")[1] for end in ends if not end.is_closing()}

    # --- the loop's side ----------------------------------------------------------------------------------------

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _set_hole(self, on):
        if on:
            self._open_road.clear()
        else:
            self._open_road.set()

    async def _reset_all(self):
        lines = list(self._lines)
        for line in lines:
            line.reset()
        self.resets += len(lines)
        return len(lines)

    async def _close(self):
        self._server.close()
        await self._reset_all()
        own = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not own]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _accept(self, reader, writer):
        line = _Line(writer)
        if self.faults.cut_after is not None:
            line.bytes_left = self._dice.randint(*self.faults.cut_after)
        self._lines.append(line)
        try:
            await self._open_road.wait()
            server_reader, line.server = await asyncio.open_connection(*self._target)
            line.tasks = [
                asyncio.create_task(self._pump(line, reader, line.server, from_client=True)),
                asyncio.create_task(self._pump(line, server_reader, writer, from_client=False)),
            ]
            await asyncio.wait(line.tasks, return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass  # there is no server: the client sees its connection refused, a moment late
        finally:
            for task in line.tasks:
                task.cancel()
            await asyncio.gather(*line.tasks, return_exceptions=True)
            for end in (line.client, line.server):
                if end is not None:
                    end.close()
            self._lines.remove(line)

    async def _pump(self, line, reader, writer, *, from_client):
        while piece := await reader.read(PIECE):
            if self.faults.latency:
                spread = self.faults.jitter * (2 * self._dice.random() - 1)
                await asyncio.sleep(max(0.0, self.faults.latency + spread))
            await self._open_road.wait()
            if from_client and await self._snap(line, reader, writer, piece):
                return
            if line.is_deaf and not from_client:
                continue
            if line.bytes_left is not None:
                line.bytes_left -= len(piece)
                if line.bytes_left < 0:
                    writer.write(piece[: line.bytes_left])
                    await writer.drain()
                    self.resets += 1
                    line.reset()
                    return
            writer.write(piece)
            await writer.drain()
        await self._open_road.wait()

    async def _snap(self, line, reader, writer, piece):
        trap = self.faults.trap
        if trap is None or not trap.left or trap.text not in piece or trap.dice.random() >= trap.chance:
            return False
        trap.left -= 1
        trap.snapped += 1
        self.resets += 1
        if not trap.pass_on:
            line.reset()
            return True
        # The client hears nothing any more, and the server gets everything, then an orderly end.
        line.is_deaf = True
        while piece:
            writer.write(piece)
            await writer.drain()
            with suppress(TimeoutError):
                piece = await asyncio.wait_for(reader.read(PIECE), 0.1)
                continue
            break
        _reset(line.client)
        return True
