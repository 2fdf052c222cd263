"""The forms a patch may have: https://hl7.org/fhir/R4/http.html#patch."""
