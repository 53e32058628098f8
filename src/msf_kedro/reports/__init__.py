"""Figures of runs, comparisons of methods, tables."""
