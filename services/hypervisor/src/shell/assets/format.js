// Times and spans, as short as a person reads them.

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const calendar = new Intl.DateTimeFormat("en", { dateStyle: "medium" });

// "3 hours ago"; a date when that is more than a month back.
export function ago(time) {
  const date = new Date(time);
  const seconds = (date - Date.now()) / 1000;
  if (Math.abs(seconds) > 30 * 86400) return calendar.format(date);
  const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  return unit ? relative.format(Math.trunc(seconds / unit[1]), unit[0]) : "just now";
}

export const exactly = (time) => absolute.format(new Date(time));

// "2 d 4 h", "3 min", "12 s"
export function span(seconds) {
  const [days, hours, minutes] = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60].map(Math.floor);
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  if (minutes) return `${minutes} min`;
  return `${Math.floor(seconds)} s`;
}

// "84 ms", "2.3 s"
export const millis = (number) => (number < 1000 ? `${Math.round(number)} ms` : `${(number / 1000).toFixed(1)} s`);

// "3.2 MB"
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const number = bytes / 1000 ** power;
  return `${power && number < 100 ? number.toFixed(1) : Math.round(number)} ${units[power]}`;
}

// "once", "12 times"
export const times = (number) => (number === 1 ? "once" : `${number} times`);

// "1 writing request", "12 writing requests"
export const writing = (number) => `${number} writing request${number === 1 ? "" : "s"}`;

// "Firefox on Linux" out of a User-Agent; what is no browser, by its first word.
export function agent(header) {
  if (!header) return "Unknown client";
  const browser = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
  const system = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS X", "Mac"], ["CrOS", "ChromeOS"], ["Linux", "Linux"]];
  const first = (pairs) => pairs.find(([mark]) => header.includes(mark))?.[1];
  const name = first(browser);
  if (!name) return header.split(/[\s/]/)[0];
  const on = first(system);
  return on ? `${name} on ${on}` : name;
}
