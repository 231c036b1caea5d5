/** The time of a reset in the words of the CLIs and their services. `resetsAt` in milliseconds since 1970. */

/** `2h59m58s`: what is left until then, in whole seconds, never less than the rest. */
export function leftText(resetsAt) {
  const seconds = Math.max(1, Math.ceil((resetsAt - Date.now()) / 1000));
  return `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m${seconds % 60}s`;
}

/** `7:07pm (UTC)`, in another day with the date: `Dec 2, 7:07pm (UTC)`. */
export function clockText(resetsAt) {
  const at = new Date(resetsAt);
  const options = { timeZone: 'UTC', hour: 'numeric', minute: '2-digit' };
  const time = at
    .toLocaleTimeString('en-US', options)
    .replace(/\s(?=[AP]M)/, '')
    .toLowerCase();
  const isToday = at.toISOString().slice(0, 10) === new Date().toISOString().slice(0, 10);
  const day = at.toLocaleDateString('en-US', { timeZone: 'UTC', month: 'short', day: 'numeric' });
  return `${isToday ? '' : `${day}, `}${time} (UTC)`;
}

/** `7:07 PM`, in another day with the date: `Nov 30th, 2026 11:46 PM`. In the machine's zone, which the text leaves out. */
export function localText(resetsAt) {
  const at = new Date(resetsAt);
  const time = at.toLocaleTimeString('en-US', { hour: 'numeric', minute: '2-digit' }).replace(/\s/, ' ');
  if (at.toDateString() === new Date().toDateString()) return time;
  const month = at.toLocaleDateString('en-US', { month: 'short' });
  return `${month} ${at.getDate()}${suffixOf(at.getDate())}, ${at.getFullYear()} ${time}`;
}

function suffixOf(day) {
  if (day >= 11 && day <= 13) return 'th';
  return ['th', 'st', 'nd', 'rd'][day % 10] ?? 'th';
}

/** `11-30 23:46:00 UTC`. */
export function stampText(resetsAt) {
  return `${new Date(resetsAt).toISOString().slice(5, 19).replace('T', ' ')} UTC`;
}
