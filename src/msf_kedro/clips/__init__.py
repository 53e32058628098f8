"""Skeleton clips: reading, joint layouts, normalising, streams and the procedural sample."""
