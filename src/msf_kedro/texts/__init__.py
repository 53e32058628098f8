"""Class texts to vectors."""
