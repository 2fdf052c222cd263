// Nobody there: after as long as the clinic's sign-ins last without a sign of life the page
// signs out by itself, and asks a minute before. What is kept on the device on purpose stays.
import { asked } from "./dom.js";
import { t } from "./language.js";

const ASK = 60_000;
const LOOK = 15_000;
const TELL = 5 * 60_000;

/**
 * @param {{idleSeconds(): number, isIn(): boolean, leave(): Promise<void>,
 *   stayAlive(): Promise<void>}} session
 * @param {() => void} over what is shown then
 */
export function watch(session, over) {
  const limit = session.idleSeconds() * 1000;
  let last = Date.now();
  let told = Date.now();
  let asking = false;
  const here = () => {
    last = Date.now();
    if (last - told > TELL) {
      told = last;
      session.stayAlive();
    }
  };
  for (const each of ["pointerdown", "keydown"]) window.addEventListener(each, here, { passive: true });
  setInterval(async () => {
    if (!session.isIn()) return;
    const idle = Date.now() - last;
    if (idle >= limit) {
      document.querySelectorAll("dialog").forEach((each) => each.close());
      await session.leave();
      over();
    } else if (idle >= limit - ASK && !asking) {
      asking = true;
      await asked(t("IDLE_ASK"), t("IDLE_HERE"), t("IDLE_LEAVE")).then((stays) => {
        if (stays) here();
        else last = 0;
      });
      asking = false;
    }
  }, LOOK);
}
