/** Times as people of the page's language write them. */

import { locale } from './words.js';

const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' });
const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

/** A unit, its length in seconds, and how many of it are the next one. */
const UNITS = [
  ['minute', 60, 60],
  ['hour', 3_600, 24],
  ['day', 86_400, Infinity],
];

/** "5 minutes ago", "in 3 days"; a date where that is further than a month away. */
export function near(text, now = Date.now()) {
  const seconds = (Date.parse(text) - now) / 1000;
  const size = Math.abs(seconds);
  if (size > 30 * 86_400) return day.format(new Date(text));
  if (size < 60) return relative.format(0, 'second');
  // By the number that is told: a moment short of an hour is "1 hour", not "60 minutes".
  const [unit, length] = UNITS.find(([, length, most]) => Math.round(size / length) < most);
  return relative.format(Math.round(seconds / length), unit);
}

/** A `<time>` that says roughly when, and exactly on demand. */
export function timeElement(text) {
  const element = document.createElement('time');
  element.dateTime = text;
  element.title = exact.format(new Date(text));
  element.textContent = near(text);
  return element;
}

/** How long to wait, in words. */
export function span(seconds) {
  const minutes = Math.ceil(seconds / 60);
  const [value, unit] = minutes < 60 ? [minutes, 'minute'] : [Math.ceil(minutes / 60), 'hour'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}
