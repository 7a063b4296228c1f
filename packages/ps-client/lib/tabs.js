import { isSessionAnswer } from './judge.js';

/**
 * What tabs tell one another, by a `BroadcastChannel`: in memory, to pages of this origin only. These
 * could all refresh by the shared cookie, so hearing of the token gives them nothing new.
 *
 * To `ask` the others answer with their `session` where its token has some life left, else with the
 * rank of what they have `known`. A new `session`, and that it has `ended`, is told unasked.
 */
export function tabs(place, { BroadcastChannel }, hear) {
  if (!BroadcastChannel) return { exist: false, tell() {}, close() {} };
  const channel = new BroadcastChannel(place);
  channel.onmessage = ({ data }) => {
    if (isKnown(data)) hear(data);
  };
  return {
    exist: true,
    tell: (message) => channel.postMessage(message),
    close: () => channel.close(),
  };
}

/** A tab may run another version of this module for days. */
function isKnown(message) {
  switch (message?.kind) {
    case 'ask':
      return true;
    case 'known':
      return Number.isSafeInteger(message.rank);
    case 'ended':
      return Number.isSafeInteger(message.rank) && typeof message.reason === 'string';
    case 'session':
      return (
        Number.isSafeInteger(message.rank) &&
        Number.isFinite(message.until) &&
        isSessionAnswer(message.answer)
      );
    default:
      return false;
  }
}
