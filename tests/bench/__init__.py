"""Benchmarks: ``make bench``. Not tests, but for ``test_*.py``: they measure.

``python -m tests.bench`` is the table: Evenhand beside its peers. ``tasks`` says what the work is, ``ours``
and ``theirs`` how each side does it, ``harness`` takes turns and concludes, ``rpc`` keeps both sides in
processes of their own, ``peers`` builds the peers' environment, ``figures`` runs the benchmarks that are
programs of their own (``bench_*`` and ``profile_run``), ``show`` draws. ``results`` has a folder for each
machine: ``table.json``, and a file of each such program.
"""
