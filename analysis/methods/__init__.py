"""The estimators beside R's values."""
