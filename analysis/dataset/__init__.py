"""A dataset folder, read and checked: its model, its endpoints, what is wrong with it."""
