"""Skeleton clips: reading, joint layouts, normalising, streams, augmentation and storage."""
