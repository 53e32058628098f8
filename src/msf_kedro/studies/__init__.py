"""How a study of one's own begins: what a folder of clips lets guess, and what is wrong."""
