"""How a configuration is declared: a flat frozen dataclass whose fields' types are checked."""

from functools import partial

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

# Field types say the range (`PositiveInt`, `Literal["a", "b"]`); what one field alone cannot say
# is checked in `__post_init__`. Pydantic ignores unknown keys unless told to forbid them.
configuration = partial(dataclass, frozen=True, config=ConfigDict(extra="forbid"))
