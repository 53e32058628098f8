"""What clips' names, or the folders they lie in, say of them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from msf_kedro.clips.table import ACTION, ClipTable

# What stands before a number in a name → the column that the number is. An `a` alone is an action.
WORDS = {
    **dict.fromkeys(("action", "act", "a", "class", "cls", "activity", "gesture", "label"), ACTION),
    **dict.fromkeys(("subject", "subj", "sub", "s"), "subject"),
    **dict.fromkeys(("person", "people", "p", "pid"), "person"),
    **{"performer": "performer", "actor": "actor", "participant": "participant", "user": "user"},
    **dict.fromkeys(("take", "t"), "take"),
    **dict.fromkeys(("trial", "try"), "trial"),
    **dict.fromkeys(("repetition", "rep", "r", "replication"), "repetition"),
    **{"execution": "execution", "exe": "execution", "e": "execution", "instance": "instance"},
    **dict.fromkeys(("camera", "cam", "c", "view", "v"), "camera"),
    **{"setup": "setup", "session": "session", "room": "room", "scene": "scene"},
}
NTU = ("setup", "camera", "performer", "replication", ACTION)  # S001C001P001R001A001
MATCHED = 0.95  # of the names, at least, for a pattern to be theirs
TAKE = "take"


@dataclass(frozen=True)
class Told:
    """What is known of clips before they are read.

    Attributes:
        pattern: a regular expression that says it of their names, or None.
        table: what a table says of them, where names do not say it.
        unmatched: names that the pattern does not match.
        labels: class → what it is called, where words told classes apart.
        how: in words.
    """

    pattern: str | None
    table: ClipTable
    how: str
    unmatched: list[str] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)


def guess_names(files: Mapping[str, PurePath]) -> Told | None:
    """What clips show, from numbers in their names, else from words in them, else from folders.

    Args:
        files: clip name → its file, from the clips' folder on.

    Returns:
        None if neither names nor folders say of which class a clip is.
    """
    names = sorted(files)
    return _by_numbers(names) or _by_words(names) or _by_folders(files)


def told_by(pattern: str, names: Sequence[str]) -> tuple[ClipTable, list[str]]:
    """What a pattern says of names, and the names that it does not match."""
    columns = tuple(re.compile(pattern).groupindex)
    matches = {name: re.fullmatch(pattern, name) for name in names}
    rows = {name: tuple(map(int, m.groups())) for name, m in matches.items() if m}
    return ClipTable(columns, rows), [name for name, match in matches.items() if not match]


def _by_numbers(names: Sequence[str]) -> Told | None:
    """Names of one shape, `a01_s02_t03`, where what stands before a number says what it is."""
    shape, count = Counter(_literals(name) for name in names).most_common(1)[0]
    columns = _columns(shape)
    if ACTION not in columns or count < MATCHED * len(names):
        return None
    groups = [rf"(?P<{column}>\d+)" for column in columns]
    parts = [re.escape(literal) for literal in shape]
    pattern = "".join(a + b for a, b in zip(parts, [*groups, ""], strict=True))
    table, unmatched = told_by(pattern, names)
    return Told(pattern, table, "by numbers in their names", unmatched)


def _by_words(names: Sequence[str]) -> Told | None:
    """Names that begin with a class's word, `high_five_s01_t02`, and go on with numbers."""
    split = {name: _word_and_numbers(name) for name in names}
    if not all(split.values()):
        return None
    words = sorted({word for word, _, _ in split.values()})
    shapes = {columns for _, columns, _ in split.values()}
    if len(shapes) > 1 or not 2 <= len(words) <= len(names) // 2:
        return None
    number = {word: place for place, word in enumerate(words, 1)}
    rows = {name: (number[word], *numbers) for name, (word, _, numbers) in split.items()}
    labels = {place: _label(word) for word, place in number.items()}
    columns = (ACTION, *next(iter(shapes)))
    return Told(None, ClipTable(columns, rows), "by words in their names", labels=labels)


def _by_folders(files: Mapping[str, PurePath]) -> Told | None:
    """Files in a folder for each class; a clip's `take` is its place in the folder."""
    folders = {name: file.parent.name for name, file in files.items()}
    named = sorted(set(folders.values()))
    if not 2 <= len(named) <= len(files) // 2 or any(re.search(r"\d|^$", f) for f in named):
        return None
    number = {folder: place for place, folder in enumerate(named, 1)}
    takes: Counter[str] = Counter()
    rows = {}
    for name in sorted(files):
        takes[folders[name]] += 1
        rows[name] = (number[folders[name]], takes[folders[name]])
    labels = {place: _label(folder) for folder, place in number.items()}
    return Told(None, ClipTable((ACTION, TAKE), rows), "by their folders", labels=labels)


def _literals(name: str) -> tuple[str, ...]:
    """What stands between a name's numbers, before and behind them."""
    return tuple(re.split(r"\d+", name))


def _columns(shape: Sequence[str]) -> list[str]:
    """What a name's numbers are, from what stands before each."""
    words = [(re.findall(r"[A-Za-z]+", literal) or [""])[-1] for literal in shape[:-1]]
    if words == list("SCPRA"):
        return list(NTU)
    columns: list[str] = []
    for word in words:
        column = WORDS.get(word.lower(), word.lower() if len(word) > 2 else "number")
        known = columns.count(column)
        columns.append(column)
        if known or column == "number":
            columns[-1] = f"{column}_{len(columns)}"
    return columns


def _word_and_numbers(name: str) -> tuple[str, tuple[str, ...], tuple[int, ...]] | None:
    """A name's leading word, and what its numbers are; None if it has no word or no number."""
    first, *rest = _literals(name)
    pieces = [piece for piece in re.split(r"[\W_]+", first) if piece]
    if not pieces or not rest or rest[-1]:
        return None
    known = len(pieces) > 1 and not re.search(r"[\W_]$", first) and pieces[-1].lower() in WORDS
    word = " ".join(pieces[:-1] if known else pieces)
    columns = _columns([pieces[-1] if known else TAKE, *rest])
    if ACTION in columns:
        return None
    return word.lower(), tuple(columns), tuple(map(int, re.findall(r"\d+", name)))


def _label(word: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", word)).lower()
