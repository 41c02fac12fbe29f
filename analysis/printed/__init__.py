"""Printed numbers beside recomputed ones."""
