// A small cabinet: whose it is, and what was measured. The test talks to `cabinet`.
"use strict";

const said = (error) => ({ status: error.statusCode || error.status, message: String(error) });

const cabinet = {
  async open() {
    this.client = await FHIR.oauth2.ready();
    const patient = await this.client.patient.read();
    document.getElementById("name").textContent = patient.name[0].text || patient.name[0].family;
    const found = await this.observations();
    document.getElementById("observations").append(...found.map((each) => {
      const line = document.createElement("li");
      line.textContent = each.code.text || each.code.coding[0].display;
      return line;
    }));
    return {
      patient: patient.id,
      user: await this.client.user.read(),
      fhirUser: this.client.user.fhirUser,
      scope: this.client.state.tokenResponse.scope,
      banner: this.client.state.tokenResponse.need_patient_banner,
      categories: [...new Set(found.flatMap(
        (each) => each.category.flatMap((category) => category.coding.map((code) => code.code)),
      ))],
      observations: found.length,
    };
  },

  /** Every page of a search. */
  async observations() {
    return this.client.request(
      `Observation?patient=${this.client.patient.id}&_count=5`,
      { pageLimit: 0, flat: true },
    );
  },

  /** What a request is refused with. */
  async refusal(path) {
    return this.client.request(path).then(() => null, said);
  },

  async refresh() {
    const before = this.client.state.tokenResponse.access_token;
    await this.client.refresh();
    const patient = await this.client.patient.read();
    return { patient: patient.id, isNew: before !== this.client.state.tokenResponse.access_token };
  },

  /** As a page that reads headers would: what the browser lets a script see. */
  async headers(path) {
    const { serverUrl, tokenResponse } = this.client.state;
    const answer = await fetch(`${serverUrl}/${path}`, {
      headers: { Authorization: `Bearer ${tokenResponse.access_token}`, Prefer: "handling=strict" },
    });
    return { status: answer.status, seen: Object.fromEntries(answer.headers) };
  },

  /** Read with the token there is, without a refresh in between; then refresh. */
  async after() {
    const { serverUrl, tokenResponse } = this.client.state;
    const read = await fetch(`${serverUrl}/Patient/${tokenResponse.patient}`, {
      headers: { Authorization: `Bearer ${tokenResponse.access_token}` },
    });
    const refreshed = await this.client.refresh().then(() => null, said);
    const problem = `read: ${read.status}; refresh: ${refreshed && refreshed.message}`;
    document.getElementById("problem").textContent = problem;
    return { read: read.status, told: read.headers.get("www-authenticate"), refreshed };
  },
};
