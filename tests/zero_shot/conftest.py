"""The easy problem that methods are tested on."""

from support.toy import toy

__all__ = ["toy"]
