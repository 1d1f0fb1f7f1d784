"""Every scenario, in the order in which they are run."""

from tests.chaos.hang import HANG
from tests.chaos.processes import PROCESSES
from tests.chaos.provider import PROVIDER
from tests.chaos.stores import STORES
from tests.chaos.storm import STORM

SCENARIOS = (*STORES, *PROVIDER, *HANG, *STORM, *PROCESSES)
