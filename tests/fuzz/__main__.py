"""Fuzz one reader: `PYTHONPATH=tests python -m fuzz TARGET CORPUS [libFuzzer's options]`.

CORPUS is a folder that new inputs are added to. Needs the extra `fuzz`.
"""

import sys
from pathlib import Path

import atheris
import torch

with atheris.instrument_imports(include=["msf_kedro"]):
    from fuzz.mutations import MUTATIONS
    from fuzz.targets import TARGETS, seeds


def main() -> None:
    if len(sys.argv) < 3 or sys.argv[1] not in TARGETS:
        sys.exit(f"expected one of {', '.join(TARGETS)} and a folder for its corpus")
    name, corpus = sys.argv[1], Path(sys.argv[2])
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed_{number}").write_bytes(seed)
    unpickler = torch._weights_only_unpickler.Unpickler
    unpickler.load = atheris.instrument_func(unpickler.load)

    def test_one_input(data: bytes) -> None:
        TARGETS[name](data)

    mutate = MUTATIONS.get(name)
    hooks = {"custom_mutator": mutate} if mutate else {}
    atheris.Setup([sys.argv[0], str(corpus), *sys.argv[3:]], test_one_input, **hooks)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
