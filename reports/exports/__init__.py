"""The report for machines: one file an exchange format, made from ``report.json``'s data and the bundle.

::

    data ─┬─ cyclonedx   report.cdx.json      CycloneDX 1.7: model cards and declarations
          ├─ eval_ever   report-eval-ever/    Every Eval Ever 0.3.0: a file a model, its answers line by line
          ├─ croissant   report-croissant/    Croissant 1.1 with RAI 1.0: a folder a suite
          ├─ hub         report-hub/          results and a section of a model card: a folder a model
          └─ archive     report-bundle.zip    report, manifest, plan, findings and provenance in one file

Every number is that of ``report.json``, none rounded; every export holds the disclaimer; none holds text that
a model wrote; none reads the clock or the network. Where a format has a schema, the export is held to it
before it is written; see ``validate``.
"""
