// How many messages nobody has read yet: the mark at the tab, and that they were read now.
import { SENT, isUnread, receipts } from "./messages.js";
import { batch, isIn, look, patientId } from "./session.js";
import * as shell from "./shell.js";

/** Count them, and say so at the tab. Where the person has not let the page see messages, or
 * there is no network, the tab says nothing. */
export async function tell() {
  if (!isIn()) return;
  const to = `recipient=Patient/${patientId()}&received:missing=true&status=${SENT.join(",")}`;
  const found = await look(`Communication?${to}&_summary=count`).catch(() => null);
  shell.unread(found ? found.total : 0);
}

/** Those that are shown now are read: the record says so, for every device. */
export async function read(messages) {
  const shown = messages.filter(isUnread);
  if (!shown.length || !isIn()) return;
  // That it cannot be said now is no matter: they stay unread until the next time.
  await batch(receipts(shown, new Date().toISOString())).catch(() => null);
  await tell();
}
