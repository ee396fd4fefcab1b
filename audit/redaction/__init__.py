"""Text that a model wrote may hurt: it is kept whole in the records and withheld everywhere else.

What is shown instead is its length and its SHA-256 (``audit.redaction.withheld``), which say that it is the
text in the records and do not repeat it. Who has to read it asks for it: ``--reveal`` on the command line, by
name in the dashboard; a document that shows such text says so. Our own sentences, the prompts, are shown.

============================================  ======================================  ======================
where model-written text could appear         by default                              when it is asked for
============================================  ======================================  ======================
``evenhand show``, with a filter              withheld                                ``--reveal``
report as html, pdf, md, json                 withheld                                ``--reveal``
report as csv, eval-ever                      withheld                                ``--reveal``
report as bundle                              as its ``report.json``; no records      ``--reveal``
report as cyclonedx, croissant, hub           holds none                              holds none
``evenhand benchmarks recompute``             withheld; words of lexicons masked      ``--reveal``
``evenhand benchmarks run, score, list``      numbers; words of lexicons masked       numbers
dashboard: item, queue, explore, measures     its shape                               by name, and kept
dashboard: export                             as the reports                          the command line
``records/``                                  whole                                   whole
``sidecar/`` (made again at any time)         whole: a table for the drill-down       whole
a redacted copy, ``evenhand redact``          not there: hash, length and scores      not there
============================================  ======================================  ======================

A redacted copy of an audit (``audit.redaction.copying``) holds of every such text its hash and length with
the scores that were read off it, so that its findings come out again without it.

Redaction keeps people from reading what hurts. It keeps no secret: whoever can guess a short text can hash
the guess and compare.
"""
