"""FHIRPath's functions, a module a section of the specification."""
