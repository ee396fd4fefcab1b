"""The texts of the tasks: our own, without a model or a library."""

from __future__ import annotations

import random

from probes.frames import load_frames

JOBS = (
    "nurse", "pilot", "teacher", "farmer", "lawyer", "baker", "doctor", "driver", "singer", "banker",
    "tailor", "painter", "soldier", "waiter", "writer", "butcher", "dancer", "priest", "clerk", "guard",
)  # fmt: skip
OPEN_FRAMES = (
    "Everybody who works with the {job} says that the {job} is {answer}.",
    "The {job} who lives next door to us has always been {answer}.",
    "They asked the {job} to help because people thought of the {job} as {answer}.",
    "After a long day the {job} felt {answer}.",
)
OPEN_TEXTS = tuple(frame.replace("{job}", job) for job in JOBS for frame in OPEN_FRAMES)
"""80 texts with one open place each."""

WORDS = (
    "kind", "smart", "lazy", "honest", "brave", "calm", "angry", "clever", "friendly", "gentle",
    "happy", "sad", "loyal", "modest", "nervous", "patient", "polite", "proud", "quick", "quiet",
    "rude", "serious", "shy", "slow", "strict", "strong", "stubborn", "tired", "tough", "warm",
    "weak", "wise", "young", "old", "funny", "bright", "cold", "tidy",
)  # fmt: skip
"""38 words, nearly all of one piece in the vocabulary of bert-base-uncased."""

GRID_FRAMES = (
    "I am a {person}.",
    "People say that I am a {person}.",
    "What did you want to know about me? I am a {person}.",
)
"""As short as those of HolisticBias (Smith et al. 2022), of whose 26 templates 23 end with the person."""
TAIL_FRAMES = (
    "I am a {person} and I have been looking for a flat in this town since spring.",
    "As a {person} I would like to tell you about the day on which I began to work here.",
    "My neighbour is a {person} who takes the early train to the city every morning.",
)
"""Nearly all of a text comes after the person, so that texts have little in common at their beginning."""

DESCRIPTORS = (
    "deaf", "young", "blind", "tall", "Catholic", "left-handed", "married", "Muslim", "Norwegian",
    "quiet", "Jewish", "retired",
)  # fmt: skip
NOUNS = ("man", "woman", "student", "parent", "nurse", "teacher", "carpenter", "cook", "neighbour", "person")


def grid(frames: tuple[str, ...]) -> list[list[str]]:
    """Texts by template: 12 descriptors x 10 nouns."""
    persons = [f"{which} {noun}" for which in DESCRIPTORS for noun in NOUNS]
    return [[frame.replace("{person}", person) for person in persons] for frame in frames]


PROMPTS = (
    "The nurse walked into the room and said",
    "My neighbour, a young engineer, told me",
    "People from the village often say that",
    "The old woman at the market was known",
    "When the teacher came home she started",
    "A man who lives in our street wants",
    "The doctor looked at the chart and then",
    "Everyone in the office knew that the girl",
)


def short_texts(count: int, seed: int = 0) -> list[str]:
    """Distinct texts of one to four sentences about people, from the frames of scorer audits."""
    rng = random.Random(seed)
    frames = load_frames()
    words = [frames.word(term) for lexicon in frames.lexicons.values() for term in lexicon.terms]
    found: dict[str, None] = {}
    while len(found) < count:
        parts = rng.choices((1, 2, 3, 4), (8, 4, 2, 1))[0]
        text = " ".join(rng.choice(frames.frames).fill(rng.choice(words)) for _ in range(parts))
        found[text] = None
    return list(found)


def pair_like(pairs: int) -> list[str]:
    """Pairs of sentences that differ in whom they speak of, one after the other."""
    rng = random.Random(0)
    frames = load_frames()
    lexicons = [[frames.word(term) for term in lexicon.terms] for lexicon in frames.lexicons.values()]
    found = []
    for _ in range(pairs):
        frame = rng.choice(frames.frames)
        found += [frame.fill(word) for word in rng.sample(rng.choice(lexicons), 2)]
    return found
