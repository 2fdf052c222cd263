// Results as series: what was measured more than once belongs together. Pure.
import { deviation, range, unit, value, when, words } from "./fhir.js";

const GROUPS = ["laboratory", "vital-signs"];

/** What tells one test from another: its first code with a system, or its words. */
function keyOf(observation) {
  const coding = (observation.code.coding || []).find((each) => each.system && each.code);
  return coding ? `${coding.system}|${coding.code}` : words(observation.code);
}

function groupOf(observation) {
  const codes = (observation.category || []).flatMap((each) => each.coding || []).map((each) => each.code);
  return GROUPS.find((each) => codes.includes(each)) || "other";
}

/** @returns {{at: string, value: number, unit: string, low?: number, high?: number}[]} */
function numbers(observation) {
  const parts = observation.component || [observation];
  return parts.filter((each) => each.valueQuantity && each.valueQuantity.value !== undefined).map((each) => {
    const limits = (each.referenceRange || [])[0] || {};
    return {
      at: when(observation),
      line: observation.component ? words(each.code) : "",
      value: Number(each.valueQuantity.value),
      unit: unit(each.valueQuantity),
      low: limits.low && Number(limits.low.value),
      high: limits.high && Number(limits.high.value),
    };
  });
}

/**
 * @param {any[]} observations newest first
 * @returns {{key: string, name: string, group: string, rows: any[], lines: Map<string, any[]>}[]}
 */
export function series(observations) {
  const found = new Map();
  for (const each of observations) {
    if (each.status === "entered-in-error" || each.status === "cancelled") continue;
    const key = keyOf(each);
    if (!found.has(key)) found.set(key, { key, name: words(each.code), group: groupOf(each), rows: [], lines: new Map() });
    const one = found.get(key);
    one.rows.push({ id: each.id, at: when(each), value: value(each), range: range(each), deviation: deviation(each), status: each.status });
    for (const point of numbers(each)) {
      if (!one.lines.has(point.line)) one.lines.set(point.line, []);
      one.lines.get(point.line).unshift(point);
    }
  }
  return [...found.values()];
}

/** Where the points of lines lie in a box: shares of 0 to 1, y from the top. Values of other
 * units than the newest are left out, for they would lie. */
export function laid(lines) {
  const kept = lines.map((line) => line.filter((each) => each.unit === line[line.length - 1].unit));
  const all = kept.flat();
  const bounds = all.flatMap((each) => [each.value, each.low, each.high]).filter((each) => each !== undefined);
  const [least, most] = [Math.min(...bounds), Math.max(...bounds)];
  const [first, last] = [Math.min(...all.map((each) => Date.parse(each.at))), Math.max(...all.map((each) => Date.parse(each.at)))];
  const y = (number) => (most === least ? 0.5 : (most - number) / (most - least));
  const x = (at) => (last === first ? 0.5 : (Date.parse(at) - first) / (last - first));
  const newest = kept[0] && kept[0][kept[0].length - 1];
  const band = newest && lines.length === 1 && (newest.low !== undefined || newest.high !== undefined)
    ? { top: newest.high === undefined ? 0 : y(newest.high), bottom: newest.low === undefined ? 1 : y(newest.low) } : null;
  return { least, most, band, lines: kept.map((line) => line.map((each) => ({ ...each, x: x(each.at), y: y(each.value) }))) };
}
