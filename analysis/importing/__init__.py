"""A statistician's file made into a dataset folder."""
