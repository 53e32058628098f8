"""How large clips may be, for tests that are about something else."""

from msf_kedro.clips.limits import Limits

LIMITS = Limits(frames=10_000, bodies=16, bytes=32_000_000)
MOST = {f"max_{name}": most for name, most in vars(LIMITS).items()}  # as `ClipsConfig` has them
