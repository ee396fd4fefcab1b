"""Two audits held against each other, item by item: what a change of the model changed.

``side``          one of the two bundles, read whole
``plan_changes``  what differs between the plans, and between the machines
``pairs``         which model of the one is held against which of the other
``rows``          the scores of the one beside those of the other, and why some stand alone
``twins``         the questions that both audits ask, and those of one only
``changes``       the paired change of each contrast
``judgement``     from a paired change to one of four verdicts
``moves``         how far the answers of a suite moved
``flips``         answers whose preference, or whose tone, is another one now
``wording``       a change in plain words
"""
