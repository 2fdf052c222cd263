"""The rules of a patient's cabinet."""
