// Where an app begins: a portal opens `launch.html?iss=…&launch=…`, a person one without `launch`.
"use strict";

const opened = new URLSearchParams(location.search).has("launch");

FHIR.oauth2.authorize({
  clientId: "cabinet",
  scope: `openid fhirUser ${opened ? "launch" : "launch/patient"} offline_access `
    + "patient/Patient.rs patient/Observation.rs patient/Condition.rs patient/Appointment.cruds",
  redirectUri: "index.html",
});
