/** What this tab remembers from page to page. Where the browser takes no storage, nothing. */

export function remember(place, what) {
  try {
    if (what === null) sessionStorage.removeItem(place);
    else sessionStorage.setItem(place, JSON.stringify(what));
  } catch {
    // It is a convenience.
  }
}

/** What was remembered, or null. */
export function recall(place) {
  try {
    return JSON.parse(sessionStorage.getItem(place));
  } catch {
    return null;
  }
}
