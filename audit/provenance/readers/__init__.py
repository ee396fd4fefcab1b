"""What a folder tells of a model without loading it: one file each for weights, configuration, card, licence
and place.

Every function takes a folder and gives claims. None needs torch, and nothing that a folder holds makes one
raise: what is broken, too large or no text gives ``unknown``, with the reason in the note.
"""
