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
