"""What is wrong with an installation, and what mends it: `aiops doctor`.

Beside the checks of `workers.health`, which tell whether it works now, these tell whether it is set up well: settings,
server, rights, disk, clock, data. Nothing is started and nothing is changed.
"""

from workers.doctor.run import examine

__all__ = ["examine"]
