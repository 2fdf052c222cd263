// Files of the record: fetched with the token, and given to the browser as a file.
import { file } from "../app/session.js";

const SHOWN = ["application/pdf", "image/png", "image/jpeg", "text/plain"];

/** Bytes of base64. */
function bytes(text) {
  return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
}

/** @returns {Promise<Blob>} */
async function content(attachment) {
  if (attachment.data) return new Blob([bytes(attachment.data)], { type: attachment.contentType });
  const answer = await file(attachment.url);
  return new Blob([await answer.arrayBuffer()], { type: attachment.contentType || answer.headers.get("content-type") });
}

/** Save it; what browsers show safely is opened beside. A document of any other type is never
 * opened on this origin: a page in it could act for the person. */
export async function openFile(attachment) {
  const blob = await content(attachment);
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  if (SHOWN.includes(blob.type)) link.target = "_blank";
  else link.download = attachment.title || "file";
  link.rel = "noopener";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
