"""The authorization server's decisions: clients, grants, launch, tokens, discovery.

Pure: state, clock and chance stand behind `smart.ports`.

https://hl7.org/fhir/smart-app-launch/STU2.2/
"""
