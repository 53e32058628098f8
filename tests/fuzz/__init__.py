"""Coverage-guided fuzzing of every reader of files that others have made (docs/reliability.md)."""
