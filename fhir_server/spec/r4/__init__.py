"""Tables of FHIR R4 4.0.1, written by `scripts/build_spec.py`; nothing here is edited."""
