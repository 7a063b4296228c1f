/** What a `User-Agent` says, in the two words that its owner knows the browser by. */

import { say } from './words.js';

// The first that fits: most of them name the others too.
const BROWSERS = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(HeadlessChrome|Chrome|CriOS)\//, 'Chrome'],
  [/\bVersion\/.*\bSafari\//, 'Safari'],
];

const SYSTEMS = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

/** "Firefox on Linux"; of a program without a name of these, the first word that it says. */
export function device(userAgent) {
  const text = userAgent ?? '';
  const [browser, system] = [BROWSERS, SYSTEMS].map((all) => all.find(([sign]) => sign.test(text))?.[1]);
  if (browser && system) return say('device.on', { browser, system });
  return browser ?? system ?? (text.slice(0, 60).split(' ')[0] || say('device.unknown'));
}
