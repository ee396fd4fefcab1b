"""From the score table to findings: estimates, controls, corrections, second looks, the record.

``estimates``       score table to arrays to contrasts
``controls``        A/A, invented words, groups exchanged
``correction``      p-values of a family
``families``        the findings of a family, and its row in the ledger
``finding_record``  one finding as plain data
``robustness``      what becomes of an estimate when what should not matter changes
``effects``         standardised sizes and a second interval
``profile``         the groups side by side: shrinkage, ranks, reliability
``specifications``  the same question by other reasonable analyses
``scorer_flips``    the same answers by another scorer
``decoding``        the same contrast by setting and by seed
"""
