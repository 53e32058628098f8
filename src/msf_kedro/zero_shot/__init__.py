"""Splits, protocols, gate, decision and metrics of zero-shot recognition."""
