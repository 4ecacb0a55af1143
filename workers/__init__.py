"""The daemon: the queue's app, its tasks, the supervisor, the command line. It holds no formula.

`app` stands here so that `procrastinate --app=workers.app …` finds it.
"""

from workers.queue import app

__all__ = ["app"]
