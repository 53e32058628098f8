"""The easy problem that every method is tested on."""

from support.toy import toy

__all__ = ["toy"]
