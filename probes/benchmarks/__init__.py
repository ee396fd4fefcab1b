"""Published benchmarks: where their data lies, and one reader for each data set.

Nothing of a publisher's text comes with this project. A user's own copy is fetched or named; what is here
is where each file is published, under which licence, and the SHA-256 that it must have.
"""

from probes.benchmarks.folder import DataFolder as DataFolder
from probes.benchmarks.items import BenchmarkItem as BenchmarkItem
from probes.benchmarks.sources import Source as Source
