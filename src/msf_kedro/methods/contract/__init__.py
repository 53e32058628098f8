"""The one contract of all methods, and what methods of one family share."""
