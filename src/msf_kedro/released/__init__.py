"""What others have published: features, checkpoints and class texts."""
