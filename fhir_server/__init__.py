"""A FHIR R4 server on MongoDB: the patient's cabinet for any FHIR client."""
