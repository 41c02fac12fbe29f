"""What several pages share: results, tables, figures and sentences about a study."""
