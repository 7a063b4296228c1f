/** The texts of the page's language, which the page was rendered with too. */

export const language = document.documentElement.lang;

/** The same, of the region that the person lives in, for dates and numbers. */
export const locale = navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language;

const answer = await fetch(`/assets/words.${language}.json`);
const words = await answer.json();

/** The text of a key, with the names in braces filled in. */
export function say(key, names = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (open, name) => names[name] ?? open);
}

/** Whether there is a text of its own. */
export function knows(key) {
  return Object.hasOwn(words, key);
}
