"""Checklists and paragraphs for whoever publishes a run."""
