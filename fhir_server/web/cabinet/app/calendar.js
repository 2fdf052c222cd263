// Free places as days and parts of a day, by the clock of the clinic. Pure.

const PARTS = [["MORNING", 12], ["AFTERNOON", 17], ["EVENING", 24]];

/**
 * @param {{id: string, start: string, end: string}[]} places free ones
 * @param {{clinicDay(text: string): string}} clock
 * @returns {{day: string, places: any[]}[]} days that have any, in order
 */
export function days(places, clock) {
  const found = new Map();
  for (const each of [...places].sort((a, b) => Date.parse(a.start) - Date.parse(b.start))) {
    const day = clock.clinicDay(each.start);
    if (!found.has(day)) found.set(day, []);
    found.get(day).push(each);
  }
  return [...found].map(([day, list]) => ({ day, places: list }));
}

/** The places of a day by its parts: `[name of the text, places]`, empty parts left out. */
export function parts(places, clock) {
  let from = 0;
  return PARTS.map(([name, to]) => {
    const inside = places.filter((each) => {
      const hour = clock.clinicHour(each.start);
      return hour >= from && hour < to;
    });
    from = to;
    return /** @type {[string, any[]]} */ ([name, inside]);
  }).filter(([, list]) => list.length);
}

/** The free places that lie nearest to one that is gone. */
export function nearest(places, start, most = 3) {
  const gap = (each) => Math.abs(Date.parse(each.start) - Date.parse(start));
  return [...places].sort((a, b) => gap(a) - gap(b)).slice(0, most)
    .sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
}
