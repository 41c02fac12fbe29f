"""The estimators beside R's values, and what other programs would have given."""
