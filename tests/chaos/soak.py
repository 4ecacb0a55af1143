"""Every fault at random, for as long as it takes: what the soak throws at three daemons."""

from __future__ import annotations

import time
from dataclasses import dataclass

from chaos.daemon import freeze
from chaos.places import AT_SEA, ENDED, PLACES, Portfolio, Request, site
from chaos.work import MOST_CHUNKS, Batch

KINDS = ("probability", "hazard", "assessment")
TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name LIKE 'aiops %%' AND random() < %s"
)
MOST_SECONDS_OF_A_BATCH = 900.0
"""Under faults every few seconds; one that takes longer does not get anywhere."""
SITES = 60
ENDINGS = ("completed", "cancelled")


@dataclass(slots=True)
class Soaked:
    """What came of it."""

    faults: dict[str, int]
    batches: int = 0
    cancelled: int = 0
    requests: int = 0
    portfolios: int = 0


class Asking:
    """Requests of single places, one a second or so; now and then a portfolio. Some are cancelled."""

    def __init__(self, rig):
        self._rig = rig
        self._dice = rig.dice
        self._number = 0
        self._next = time.monotonic()
        self.open = []
        """What was asked and has not ended when it was last looked at, with the time at which it was asked."""
        self.completed = {Request: 0, Portfolio: 0}

    def go_on(self):
        """Ask, if it is time to; cancel, now and then."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._dice.uniform(0.5, 1.5)
        if self._dice.random() < 0.02 and not any(isinstance(one, Portfolio) for one, _ in self.open):
            first = self._dice.randrange(PLACES - SITES)
            sites = [*(site(number) for number in range(first, first + SITES - 2)), AT_SEA, site(PLACES - 1)]
            self._note(Portfolio.ask_for(self._rig.watch, sites))
        elif self._dice.random() < 0.1:  # equal ones
            for _ in range(5):
                self._note(Request.ask(self._rig.watch, self._number))
        else:
            self._number = (self._number + 7) % PLACES
            self._note(Request.ask(self._rig.watch, self._number, force=self._dice.random() < 0.5))
        if self._dice.random() < 0.05:
            self._dice.choice(self.open)[0].cancel()
        self.look()

    def _note(self, one):
        self.open.append((one, time.monotonic()))

    def look(self):
        """Whether all has ended; nothing may have failed, or take for ever."""
        still = []
        for one, asked_at in self.open:
            status = one.status
            if status in ENDED:
                assert status in ENDINGS, f"{one.batch_id} {status}: {one.error}"
                self.completed[type(one)] += status == "completed"
            else:
                assert time.monotonic() - asked_at < MOST_SECONDS_OF_A_BATCH, f"{one.batch_id} is {status} for ever"
                still.append((one, asked_at))
        self.open = still
        return not still


class Soak:
    """Three daemons, two of them behind a network that misbehaves; a batch is always under way, and somebody asks."""

    def __init__(self, rig):
        self.rig = rig
        self.dice = rig.dice
        self.proxies = [rig.proxy(), rig.proxy()]
        urls = [rig.url, *(rig.url_through(proxy) for proxy in self.proxies)]
        self.daemons = [rig.daemon(url, PARALLEL_WORKERS="1") for url in urls]
        self.frozen = []
        self.soaked = Soaked({})
        self.faults = {
            "kill": self.kill,
            "freeze": self.freeze,
            "stop a daemon": self.stop,
            "terminate backends": self.terminate,
            "restart the server": self.restart,
            "crash the server": self.crash,
            "reset connections": self.reset,
            "black hole": self.black_hole,
            "latency": self.latency,
            "cut connections": self.cut,
            "error of the server": self.fail,
            "lock": self.lock,
            "garbage": self.garbage,
            "cancel": self.cancel,
        }
        rig.listen_to_progress()
        self.asking = Asking(rig)
        self.batch = self.ask()

    def run(self, seconds):
        """So many seconds of it, then peace, and an end to everything."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            name = self.dice.choice(list(self.faults))
            self.faults[name]()
            self.soaked.faults[name] = self.soaked.faults.get(name, 0) + 1
            self.rig.injected()
            self.go_on(self.dice.uniform(1, 8))
        self.make_peace()

    def go_on(self, seconds):
        """Let time pass, keep the daemons alive as an init system would, and the batches coming."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for daemon in self.daemons:
                daemon.keep()
            if self.batch.has_ended():
                status = self.batch.status
                assert status in {"completed", "cancelled"}, f"{self.batch.batch_id} {status}: {self.batch.error}"
                self.soaked.batches += status == "completed"
                self.soaked.cancelled += status == "cancelled"
                self.batch = self.ask()
            assert time.monotonic() - self.asked_at < MOST_SECONDS_OF_A_BATCH, f"{self.batch.progress} % and no further"
            self.asking.go_on()
            self.thaw()
            time.sleep(0.2)

    def ask(self):
        self.asked_at = time.monotonic()
        self.rig.set_pace(self.dice.choice([0.0, 0.05, 0.2]))
        self.rig.set_step_pace(self.dice.choice([0.0, 0.01, 0.03]))
        return Batch.ask(self.rig.watch, self.dice.randint(10, MOST_CHUNKS // 2), self.dice.choice(KINDS))

    def wait(self, seconds):
        """Wait until everything has ended."""

        def keep():
            for daemon in self.daemons:
                daemon.keep()

        until = time.monotonic() + seconds
        self.batch.wait(seconds, keep)
        while not self.asking.look():
            assert time.monotonic() < until, f"{len(self.asking.open)} requests have not ended"
            keep()
            time.sleep(0.2)
        self.soaked.requests = self.asking.completed[Request]
        self.soaked.portfolios = self.asking.completed[Portfolio]

    def make_peace(self):
        for proxy in self.proxies:
            proxy.black_hole(False)
            proxy.faults.latency, proxy.faults.cut_after = 0.0, None
        self.thaw(at_once=True)
        self.rig.set_pace(0.0)
        self.rig.set_step_pace(0.0)
        self.rig.watch.execute("TRUNCATE chaos.failing")
        for daemon in self.daemons:
            daemon.keep()

    def thaw(self, *, at_once=False):
        """Wake the processes whose time has come."""
        for one in list(self.frozen):
            process, wake_at = one
            if at_once or time.monotonic() > wake_at:
                self.frozen.remove(one)
                if process.is_running():
                    process.resume()

    # --- the faults -----------------------------------------------------------------------------------------------

    def kill(self):
        family = self.dice.choice(self.daemons).family()
        if family:
            self.dice.choice(family).kill()

    def freeze(self):
        children = self.dice.choice(self.daemons).family()[1:]
        if children and not self.frozen:
            process = self.dice.choice(children)
            freeze(process)
            self.frozen.append((process, time.monotonic() + self.dice.uniform(5, 45)))

    def stop(self):
        daemon = self.dice.choice(self.daemons)
        if daemon.is_running() and not self.frozen:
            assert daemon.stop() == 0

    def terminate(self):
        self.rig.look(TERMINATE, self.dice.choice([0.2, 1.0]))

    def restart(self):
        self._without_server("fast", self.dice.uniform(0, 5))

    def crash(self):
        self._without_server("immediate", self.dice.uniform(0, 15))

    def _without_server(self, mode, seconds):
        self.rig.crashes += mode == "immediate"
        self.rig.server.stop(mode)
        time.sleep(seconds)
        self.rig.server.start()

    def reset(self):
        self.dice.choice(self.proxies).reset()

    def black_hole(self):
        proxy = self.dice.choice(self.proxies)
        proxy.black_hole(True)
        self.go_on(self.dice.uniform(2, 40))
        proxy.black_hole(False)

    def latency(self):
        proxy = self.dice.choice(self.proxies)
        proxy.faults.latency, proxy.faults.jitter = 0.15, 0.1
        self.go_on(self.dice.uniform(2, 10))
        proxy.faults.latency = 0.0

    def cut(self):
        proxy = self.dice.choice(self.proxies)
        proxy.faults.cut_after = (500, 50_000)
        proxy.reset()
        self.go_on(self.dice.uniform(2, 10))
        proxy.faults.cut_after = None

    def fail(self):
        steps = self.dice.choice([["write"], ["exposure", "vulnerability", "aal"], ["risk"]])
        self.rig.fail_writes(self.dice.choice(["53100", "40P01", "40001", "58030"]), self.dice.randint(1, 6), steps)

    def lock(self):
        tables = ["probability_packed", "batch_chunks", "procrastinate_jobs", "batch_jobs", "risk_results_runs"]
        table = self.dice.choice(tables)
        with self.rig.server.connect(self.rig.database) as own, own.transaction():
            own.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            time.sleep(self.dice.uniform(1, 25))

    def garbage(self):
        for channel in ("aiops_trigger", "procrastinate_queue_v1#compute", "procrastinate_queue_v1#control"):
            query = "SELECT count(pg_notify(%s, 'garbage ' || n)) FROM generate_series(1, 1000) AS n"
            self.rig.watch.execute(query, (channel,))

    def cancel(self):
        if self.dice.random() < 0.3:
            self.batch.cancel()
