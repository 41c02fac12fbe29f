"""A page of the book: its numbers and how they are shown."""
