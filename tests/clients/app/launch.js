// Where an app begins: `launch.html?iss=…`, without a launch of its own a standalone one.
"use strict";

FHIR.oauth2.authorize({
  clientId: "cabinet",
  scope: "openid fhirUser launch/patient offline_access "
    + "patient/Patient.rs patient/Observation.rs patient/Condition.rs patient/Appointment.cruds",
  redirectUri: "index.html",
});
