"""The instrument's own proof: known worlds in, the shipped code's findings out, compared with the truth.

A *world* is simulated data or a reference model whose truth is known because it was put there. A *study* asks
one question of the shipped code in some worlds, and a *check* is one number of it with the range in which it
must lie. ``studies.STUDIES`` names them all.
"""
