"""Notebooks run, pages built, swapped in, printed."""
