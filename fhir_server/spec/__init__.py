"""FHIR R4 as data: structures, search parameters, compartments, interactions."""
