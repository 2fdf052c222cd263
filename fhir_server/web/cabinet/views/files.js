// Files of the record: fetched with the token, and given to the browser as a file.
import { file } from "../app/session.js";

/** Bytes of base64. */
function bytes(text) {
  return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
}

/** @returns {Promise<Blob>} */
async function content(attachment) {
  if (attachment.data) return new Blob([bytes(attachment.data)], { type: attachment.contentType });
  const blob = await file(attachment.url);
  return attachment.contentType ? new Blob([blob], { type: attachment.contentType }) : blob;
}

/** Save it, for the device's own programs to open: never on this origin, where a page in a
 * file could act for the person. */
export async function saveFile(attachment) {
  const blob = await content(attachment);
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = attachment.title || "";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
