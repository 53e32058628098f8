"""From raw clips to the clip table and the normalised skeletons; bad clips are set aside."""

import logging
from collections.abc import Iterator, Mapping, MutableMapping
from concurrent.futures import Executor

import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor

from msf_kedro.clips.blocks import Blocks
from msf_kedro.clips.chunks import Chunk, Columns, cut, prepare_chunks
from msf_kedro.clips.clip import LISTED, OTHER_CLASS, ClipsConfig, LoadClip, Recipe
from msf_kedro.progress import progress

logger = logging.getLogger(__name__)

LOGGED = 20  # how many bad clips are logged one by one


def prepare(
    raw: Mapping[str, LoadClip],
    recipe: Recipe,
    store: MutableMapping[str, Chunk],
    workers: int,
    cluster: Executor | None = None,
) -> tuple[pd.DataFrame, Blocks, Int[Tensor, " bounds"]]:
    """Read, check and normalise all clips, chunk by chunk.

    Chunks already in the store are not prepared again, and anything else in it is removed. It is
    emptied when the bodies have been saved, not before.

    Args:
        workers: how many processes of this machine share the work.
        cluster: whose workers do, in place of these; they must reach the raw clips and the store.

    Returns:
        The clip table, a row per raw clip in order of names: `name`, what its name or the
        recipe's table says (`action` and others), `frames`, `bodies`, `kept` and, if not kept,
        `reason`; and the `bodies` and `first` of `Skeletons` for the kept clips, in the table's
        order.

    Raises:
        ValueError: more than `max_rejected` of the study's clips are bad, or none is left; the
            recipe's table is of other clips.
        RuntimeError: a worker process was killed.
    """
    if recipe.table is not None:
        recipe.table.check_clips(raw.keys())
    chunks = cut(raw, recipe)
    _log_listed(raw, recipe)
    for key in set(store) - set(chunks):  # left by other settings or files
        del store[key]
    done = {key: chunk["columns"] for key in chunks if (chunk := store.get(key))}
    if done:
        logger.info("%d of %d chunks of the clips are already prepared", len(done), len(chunks))
    todo = {key: clips for key, clips in chunks.items() if key not in done}
    before = sum(len(chunks[key]) for key in done)
    with progress("clips", len(raw), "clip", before) as shown:
        for key, columns in prepare_chunks(todo, recipe, store, workers, cluster):
            done[key] = columns
            shown.advance(len(columns["name"]))
    table = _table([done[key] for key in chunks], recipe)
    _check_rejected(table, recipe.clips)
    counts = torch.tensor([0, *table.bodies[table.kept]])
    first = torch.cumsum(counts, 0)
    shape = (int(first[-1]), *recipe.body)
    return table, Blocks(shape, torch.float32, lambda: _bodies(store, list(chunks))), first


def kept_clips(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the clips in the skeletons, in their order."""
    return table[table.kept].reset_index(drop=True)


def _table(chunks: list[Columns], recipe: Recipe) -> pd.DataFrame:
    columns = {name: [v for chunk in chunks for v in chunk[name]] for name in recipe.columns}
    texts = {name for name in recipe.told if any(isinstance(v, str) for v in columns[name])}
    types = {name: "string" if name in texts else "Int64" for name in recipe.told}
    return pd.DataFrame(columns).astype(types | {"reason": "string"})


def _bodies(store: MutableMapping[str, Chunk], keys: list[str]) -> Iterator[Tensor]:
    for key in keys:
        if (chunk := store.get(key)) is None:
            raise ValueError(
                f"chunk {key} of the clips, once finished, is gone or damaged; run again, and only"
                " one run of a study at a time"
            )
        yield torch.from_numpy(chunk["bodies"])


def _log_listed(raw: Mapping[str, LoadClip], recipe: Recipe) -> None:
    if recipe.listed:
        logger.info(
            "%d of the %d clips listed as without skeleton are among the raw clips",
            len(recipe.listed & raw.keys()),
            len(recipe.listed),
        )


def _check_rejected(table: pd.DataFrame, config: ClipsConfig) -> None:
    reasons = table.reason.fillna("")
    ours = table[~reasons.isin([OTHER_CLASS, LISTED])]
    if ours.empty:
        raise ValueError(
            f"none of {len(table)} raw clips belongs to a class of this study; check the raw clips"
            " and the parameters clips.name_pattern (or the clip table) and classes"
        )
    bad = ours[~ours.kept]
    for row in bad[:LOGGED].itertuples():
        logger.warning("clip %s is set aside: %s", row.name, row.reason)
    if len(bad) > LOGGED:
        logger.warning("%d more clips are set aside; the clip table says why", len(bad) - LOGGED)
    logger.info(
        "%d clips kept, %d set aside, %d of other classes",
        len(ours) - len(bad),
        len(bad),
        (reasons == OTHER_CLASS).sum(),
    )
    share = len(bad) / len(ours)
    if share > config.max_rejected or len(bad) == len(ours):
        raise ValueError(
            f"{len(bad)} of {len(ours)} clips cannot be used ({share:.1%}), accepted are"
            f" {config.max_rejected:.1%} (clips.max_rejected); the first is"
            f" {bad.name.iloc[0]}: {bad.reason.iloc[0]}"
        )
