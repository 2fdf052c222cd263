// A line over time, drawn as SVG. The table beside it says the same to who cannot see it.
import * as dates from "./dates.js";
import { svg } from "./dom.js";
import { number } from "./fhir.js";
import { laid } from "./series.js";

const WIDE = { width: 640, height: 240, left: 56, right: 16, top: 14, bottom: 30 };
const NARROW = { width: 360, height: 220, left: 50, right: 12, top: 14, bottom: 30 };
const SMALL = { width: 96, height: 32, left: 3, right: 3, top: 4, bottom: 4 };

function path(points, box) {
  return points.map((each, index) => `${index ? "L" : "M"}${box.x(each.x).toFixed(1)} ${box.y(each.y).toFixed(1)}`).join("");
}

function inside(size) {
  const wide = size.width - size.left - size.right;
  const tall = size.height - size.top - size.bottom;
  return { x: (share) => size.left + share * wide, y: (share) => size.top + share * tall, wide, tall };
}

function drawn(lines, size, marks) {
  const found = laid(lines);
  const box = inside(size);
  const band = found.band && svg("rect", {
    class: "band", x: size.left, width: box.wide, y: box.y(found.band.top), height: Math.max(1, box.y(found.band.bottom) - box.y(found.band.top)),
  });
  const paths = found.lines.map((line, index) => svg("path", { class: `line line-${index}`, d: path(line, box) }));
  const points = (marks ? found.lines : found.lines.map((line) => line.slice(-1))).flatMap((line, index) => line.map(
    (each) => svg("circle", { class: `point line-${index}`, cx: box.x(each.x), cy: box.y(each.y), r: marks ? 4 : 3 }),
  ));
  return { found, box, parts: [band, paths, points] };
}

/** A small one, of no meaning by itself: the newest value stands beside it in words. */
export function spark(lines) {
  const { parts } = drawn(lines, SMALL, false);
  return svg("svg", { class: "spark", viewBox: `0 0 ${SMALL.width} ${SMALL.height}`, width: SMALL.width, height: SMALL.height, "aria-hidden": "true" }, parts);
}

/** One to look at; `label` says what it is of. */
export function chart(lines, label) {
  const size = window.innerWidth < 600 ? NARROW : WIDE; // its letters are as large on both
  const { found, box, parts } = drawn(lines, size, true);
  const all = found.lines.flat();
  const ticks = [found.most, (found.most + found.least) / 2, found.least].map((each, index) => svg("text", {
    x: size.left - 8, y: box.y(index / 2) + 4, "text-anchor": "end",
  }, number(Number(each.toPrecision(3)))));
  const ends = all.length > 1 && [[Math.min, "start", 0], [Math.max, "end", 1]].map(([pick, anchor, share]) => svg("text", {
    x: box.x(Number(share)), y: size.height - 8, "text-anchor": anchor,
  }, dates.dayShort(new Date(/** @type {any} */ (pick)(...all.map((each) => Date.parse(each.at)))).toISOString())));
  const grid = [0, 0.5, 1].map((share) => svg("line", { class: "grid", x1: size.left, x2: size.width - size.right, y1: box.y(share), y2: box.y(share) }));
  return svg("svg", { class: "chart", viewBox: `0 0 ${size.width} ${size.height}`, role: "img", "aria-label": label }, grid, parts, ticks, ends || null);
}
